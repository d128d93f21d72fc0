namespace chainrule::CHAINRULE_ISA {}
