// Convolution with channels last: forward, gradient to the input, gradient to the kernel, each in two ways: directly,
// and for 3x3 windows of step 1 by Winograd's algorithm (conv_winograd.h), which rounds a little more.
#pragma once

#include "chainrule/isa.h"
#include "chainrule/pool.h"
#include "kernels/conv_sizes.h"

namespace chainrule {

// Every function answers false where there was no memory for its scratch. Results are written fully, also where an axis
// is empty, and have the same bits for any number of threads.
struct ConvTable {
  // y = conv(x, kernel) + bias, negative values replaced by 0 where relu; bias [f] may be null.
  bool (*forward)(Pool&, const float* x, const float* kernel, const float* bias, float* y, const ConvSizes&, bool relu,
                  bool precise);
  // dx = gradient of sum(dy * conv(x, kernel)) to x, plus bias [c], which may be null.
  bool (*input_gradient)(Pool&, const float* dy, const float* kernel, const float* bias, float* dx, const ConvSizes&,
                         bool precise);
  // dkernel = gradient of sum(dy * conv(x, kernel)) to kernel.
  bool (*kernel_gradient)(Pool&, const float* x, const float* dy, float* dkernel, const ConvSizes&, bool precise);
  // g = dy where y > 0, else 0; sums [columns] of g over its rows. y may be null: g is dy then and not written.
  bool (*relu_gradient)(Pool&, const float* dy, const float* y, float* g, float* sums, int64_t rows, int64_t columns);
};

}  // namespace chainrule

CHAINRULE_TABLE(ConvTable, conv)
