#include "kernels/conv.h"

#include "kernels/conv_direct.h"
#include "kernels/conv_winograd.h"
#include "kernels/depthwise.h"

namespace chainrule::CHAINRULE_ISA {
namespace {

bool is_depthwise(const ConvSizes& s) { return s.groups > 1 && s.groups == s.c && s.f > 0; }

bool forward(Pool& pool, const float* x, const float* kernel, const float* bias, float* y, const ConvSizes& s,
             bool relu, bool precise) {
  if (is_depthwise(s)) return depthwise_forward(pool, x, kernel, bias, y, s, relu);
  if (!precise && winograd_applies(s, ConvProduct::forward)) return winograd_forward(pool, x, kernel, bias, y, s, relu);
  return direct::forward(pool, x, kernel, bias, y, s, relu);
}

bool input_gradient(Pool& pool, const float* dy, const float* kernel, const float* bias, float* dx, const ConvSizes& s,
                    bool precise) {
  if (is_depthwise(s)) return depthwise_input_gradient(pool, dy, kernel, bias, dx, s);
  if (!precise && bias == nullptr && winograd_applies(s, ConvProduct::input_gradient))
    return winograd_input_gradient(pool, dy, kernel, dx, s);
  return direct::input_gradient(pool, dy, kernel, bias, dx, s);
}

bool kernel_gradient(Pool& pool, const float* x, const float* dy, float* dkernel, const ConvSizes& s, bool precise) {
  if (is_depthwise(s)) return depthwise_kernel_gradient(pool, x, dy, dkernel, s);
  if (!precise && winograd_applies(s, ConvProduct::kernel_gradient))
    return winograd_kernel_gradient(pool, x, dy, dkernel, s);
  return direct::kernel_gradient(pool, x, dy, dkernel, s);
}

}  // namespace

extern const ConvTable conv;
const ConvTable conv = {forward, input_gradient, kernel_gradient, direct::relu_gradient};

}  // namespace chainrule::CHAINRULE_ISA
