#include "kernels/normalization.h"

#include <cmath>

#include "ffi/xla.h"

namespace chainrule {
namespace {

using Floats = ffi::Buffer<ffi::F32>;
using Result = ffi::Result<Floats>;
using Dimensions = ffi::Span<const int64_t>;

// [examples, ..., channels], with the rows of an example as one axis.
ffi::Error sizes_of(const char* who, Dimensions x, float epsilon, BatchNormSizes* sizes) {
  if (x.size() < 2) return invalid("%s: the input must have 2 axes or more; received %zu", who, x.size());
  if (!(epsilon >= 0) || std::isinf(epsilon)) return invalid("%s: epsilon must be finite and not negative", who);
  Size rows(1);
  for (size_t axis = 1; axis + 1 < x.size(); ++axis) rows = rows * x[axis];
  if (!fits(rows) || !fits(rows * x[0] * x.back())) return invalid("%s: too large", who);
  *sizes = {x[0], rows.value(), x.back()};
  return ffi::Error::Success();
}

ffi::Error check_channels(const char* who, std::initializer_list<Dimensions> vectors, int64_t channels) {
  for (const Dimensions& one : vectors)
    if (one.size() != 1 || one[0] != channels)
      return invalid("%s: what belongs to channels must have one axis of %lld", who, static_cast<long long>(channels));
  return ffi::Error::Success();
}

// The weights of the examples, or null where an array of no elements stands for none.
ffi::Error check_weight(const char* who, const Floats& weight, int64_t examples, const float** found) {
  const int64_t count = static_cast<int64_t>(weight.element_count());
  if (weight.dimensions().size() != 1 || (count != 0 && count != examples))
    return invalid("%s: the weights must have one axis of 0 or %lld; received %zu axes, %lld elements", who,
                   static_cast<long long>(examples), weight.dimensions().size(), static_cast<long long>(count));
  *found = count == 0 ? nullptr : weight.typed_data();
  return ffi::Error::Success();
}

ffi::Error forward(ffi::ThreadPool threads, Floats x, Floats weight, Floats gamma, Floats beta, Result y, Result mean,
                   Result variance, float epsilon, bool relu) {
  const char* who = "chainrule_batch_norm_forward";
  BatchNormSizes s{};
  const float* counted = nullptr;
  if (ffi::Error e = sizes_of(who, x.dimensions(), epsilon, &s); e.failure()) return e;
  if (ffi::Error e = check_weight(who, weight, s.examples, &counted); e.failure()) return e;
  if (ffi::Error e = check_channels(
          who, {gamma.dimensions(), beta.dimensions(), mean->dimensions(), variance->dimensions()}, s.channels);
      e.failure())
    return e;
  if (!same_shape(x.dimensions(), y->dimensions())) return invalid("%s: input and result differ in shape", who);
  XlaPool pool(threads);
  const BatchNormForward arrays{x.typed_data(),  counted, gamma.typed_data(), beta.typed_data(),
                                epsilon,         relu,    y->typed_data(),    mean->typed_data(),
                                variance->typed_data()};
  return current_batch_norm().forward(pool, arrays, s) ? ffi::Error::Success() : out_of_memory(who);
}

ffi::Error backward(ffi::ThreadPool threads, Floats dy, Floats x, Floats weight, Floats gamma, Floats beta, Floats mean,
                    Floats variance, Floats dmean, Floats dvariance, Result dx, Result dgamma, Result dbeta,
                    float epsilon, bool relu) {
  const char* who = "chainrule_batch_norm_backward";
  BatchNormSizes s{};
  const float* counted = nullptr;
  if (ffi::Error e = sizes_of(who, x.dimensions(), epsilon, &s); e.failure()) return e;
  if (ffi::Error e = check_weight(who, weight, s.examples, &counted); e.failure()) return e;
  if (ffi::Error e = check_channels(who,
                                    {gamma.dimensions(), beta.dimensions(), mean.dimensions(), variance.dimensions(),
                                     dmean.dimensions(), dvariance.dimensions(), dgamma->dimensions(),
                                     dbeta->dimensions()},
                                    s.channels);
      e.failure())
    return e;
  if (!same_shape(x.dimensions(), dy.dimensions()) || !same_shape(x.dimensions(), dx->dimensions()))
    return invalid("%s: input and gradients differ in shape", who);
  XlaPool pool(threads);
  const BatchNormBackward arrays{dy.typed_data(),    x.typed_data(),        counted,
                                 gamma.typed_data(), beta.typed_data(),     mean.typed_data(),
                                 variance.typed_data(), dmean.typed_data(), dvariance.typed_data(),
                                 epsilon,            relu,                  dx->typed_data(),
                                 dgamma->typed_data(), dbeta->typed_data()};
  return current_batch_norm().backward(pool, arrays, s) ? ffi::Error::Success() : out_of_memory(who);
}

}  // namespace
}  // namespace chainrule

using namespace chainrule;  // NOLINT: what follows are exported handlers

CHAINRULE_HANDLER(chainrule_batch_norm_forward, forward,
                  ffi::Ffi::Bind()
                      .Ctx<ffi::ThreadPool>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Ret<Floats>()
                      .Ret<Floats>()
                      .Ret<Floats>()
                      .Attr<float>("epsilon")
                      .Attr<bool>("relu"));

CHAINRULE_HANDLER(chainrule_batch_norm_backward, backward,
                  ffi::Ffi::Bind()
                      .Ctx<ffi::ThreadPool>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Ret<Floats>()
                      .Ret<Floats>()
                      .Ret<Floats>()
                      .Attr<float>("epsilon")
                      .Attr<bool>("relu"));
