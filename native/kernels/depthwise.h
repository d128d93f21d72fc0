// Depthwise convolution: every channel has its own filters, y[.., c * m + j] = sum over the window of x[.., c] *
// kernel[.., c, j], with m = f / c; the convolution with as many groups as channels.
#pragma once

#include "chainrule/isa.h"
#include "chainrule/pool.h"
#include "kernels/conv_sizes.h"

namespace chainrule {

// Sizes have groups = c and f a multiple of c, 0 only where c is; kernel: [kh, kw, 1, f], that is [kh, kw, c, m]. Every
// function answers false where there was no memory for its scratch. Results are written fully, also where an axis is
// empty, and have the same bits for any number of threads.
struct Depthwise {
  // y = conv(x, kernel) + bias, negative values replaced by 0 where relu; bias [f] may be null.
  bool (*forward)(Pool&, const float* x, const float* kernel, const float* bias, float* y, const ConvSizes&, bool relu);
  // dx = gradient of sum(dy * conv(x, kernel)) to x, plus bias [c], which may be null.
  bool (*input_gradient)(Pool&, const float* dy, const float* kernel, const float* bias, float* dx, const ConvSizes&);
  // dkernel = gradient of sum(dy * conv(x, kernel)) to kernel.
  bool (*kernel_gradient)(Pool&, const float* x, const float* dy, float* dkernel, const ConvSizes&);
};

}  // namespace chainrule

CHAINRULE_TABLE(Depthwise, depthwise)

#ifdef CHAINRULE_ISA
namespace chainrule::CHAINRULE_ISA {

bool depthwise_forward(Pool& pool, const float* x, const float* kernel, const float* bias, float* y,
                       const ConvSizes& sizes, bool relu);
bool depthwise_input_gradient(Pool& pool, const float* dy, const float* kernel, const float* bias, float* dx,
                              const ConvSizes& sizes);
bool depthwise_kernel_gradient(Pool& pool, const float* x, const float* dy, float* dkernel, const ConvSizes& sizes);

}  // namespace chainrule::CHAINRULE_ISA
#endif
