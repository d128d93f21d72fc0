// Convolutions with a 3x3 window and stride 1 by Winograd's minimal filtering F(4x4, 3x3): 36 products for 16 results
// of 9 products each, a quarter of the arithmetic.
// Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, https://arxiv.org/abs/1509.09308.
#pragma once

#include "chainrule/isa.h"
#include "chainrule/pool.h"
#include "kernels/conv_sizes.h"

namespace chainrule {

enum class ConvProduct { forward, input_gradient, kernel_gradient };

struct Winograd {
  // Whether the sizes are such that the functions below compute them, and faster than a direct convolution would.
  bool (*applies)(const ConvSizes&, ConvProduct);
  // Whether the functions below can compute them at all: window 3x3, strides, dilations and groups 1, no size 0.
  bool (*possible)(const ConvSizes&);
  // y = conv(x, kernel) + bias, negative results 0 with relu; bias may be null. False where no memory is left.
  bool (*forward)(Pool&, const float* x, const float* kernel, const float* bias, float* y, const ConvSizes&, bool relu);
  // dx: the gradient of sum(y * dy) to x.
  bool (*input_gradient)(Pool&, const float* dy, const float* kernel, float* dx, const ConvSizes&);
  // dkernel: the gradient of sum(y * dy) to the kernel.
  bool (*kernel_gradient)(Pool&, const float* x, const float* dy, float* dkernel, const ConvSizes&);
};

}  // namespace chainrule

CHAINRULE_TABLE(Winograd, winograd)

#ifdef CHAINRULE_ISA
namespace chainrule::CHAINRULE_ISA {

bool winograd_applies(const ConvSizes& sizes, ConvProduct product);
bool winograd_possible(const ConvSizes& sizes);
bool winograd_forward(Pool& pool, const float* x, const float* kernel, const float* bias, float* y,
                      const ConvSizes& sizes, bool relu);
bool winograd_input_gradient(Pool& pool, const float* dy, const float* kernel, float* dx, const ConvSizes& sizes);
bool winograd_kernel_gradient(Pool& pool, const float* x, const float* dy, float* dkernel, const ConvSizes& sizes);

}  // namespace chainrule::CHAINRULE_ISA
#endif
