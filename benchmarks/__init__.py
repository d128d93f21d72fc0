"""Times the training step, whole fits and prediction of chainrule against other frameworks."""
