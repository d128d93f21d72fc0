#include "kernels/pooling.h"

#include "ffi/xla.h"

namespace chainrule {
namespace {

using Floats = ffi::Buffer<ffi::F32>;
using Bytes = ffi::Buffer<ffi::U8>;
using Numbers = ffi::Span<const int64_t>;

// Strides, windows and paddings beyond this are mistakes; below it no sum of them overflows.
constexpr int64_t kMostCells = int64_t{1} << 40;

// [n, h, w, c] and [n, oh, ow, c] of one pooling, checked against each other and the attributes.
template <class Large, class Small>
ffi::Error sizes_of(const char* who, const Large& large, const Small& small, Numbers window, Numbers strides,
                    Numbers padding, PoolingSizes* s) {
  if (large.size() != 4 || small.size() != 4) return invalid("%s: arrays must have 4 axes", who);
  if (window.size() != 2 || strides.size() != 2 || padding.size() != 4)
    return invalid("%s: needs 2 numbers of window and strides, 4 of padding", who);
  int64_t out[2];
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t k = window[axis], step = strides[axis], low = padding[2 * axis], high = padding[2 * axis + 1];
    if (k < 1 || k > kMostCells || step < 1 || step > kMostCells)
      return invalid("%s: window and strides must be positive", who);
    if (low < 0 || high < 0 || low >= k || high >= k)
      return invalid("%s: padding must not be negative and must be smaller than the window", who);
    const Size room = Size(large[1 + axis]) + low + high - k;
    if (!room.ok()) return invalid("%s: sizes overflow", who);
    out[axis] = room.value() < 0 ? 0 : room.value() / step + 1;
  }
  if (small[0] != large[0] || small[3] != large[3] || small[1] != out[0] || small[2] != out[1])
    return invalid("%s: the pooled array does not have the size that follows from the attributes", who);
  if (!fits(Size(large[0]) * large[1] * large[2] * large[3]) || !fits(Size(window[0]) * window[1]))
    return invalid("%s: sizes overflow", who);
  *s = {large[0], large[1], large[2], large[3], out[0],     out[1],
        window[0], window[1], strides[0], strides[1], padding[0], padding[2]};
  return ffi::Error::Success();
}

ffi::Error max_pool(ffi::ThreadPool threads, Numbers window, Numbers strides, Numbers padding, Floats x,
                    ffi::Result<Floats> y) {
  PoolingSizes s;
  if (ffi::Error e = sizes_of("max_pool", x.dimensions(), y->dimensions(), window, strides, padding, &s); e.failure())
    return e;
  XlaPool pool(threads);
  current_pooling_kernels().max_forward(pool, x.typed_data(), y->typed_data(), nullptr, s);
  return ffi::Error::Success();
}

ffi::Error max_pool_index(ffi::ThreadPool threads, Numbers window, Numbers strides, Numbers padding, Floats x,
                          ffi::Result<Floats> y, ffi::Result<Bytes> index) {
  PoolingSizes s;
  if (ffi::Error e = sizes_of("max_pool_index", x.dimensions(), y->dimensions(), window, strides, padding, &s);
      e.failure())
    return e;
  if (!same_shape(index->dimensions(), y->dimensions())) return invalid("max_pool_index: index must have the size of the result");
  if (s.window_h > 255 || s.window_w > 255 || s.window_h * s.window_w > 255)
    return invalid("max_pool_index: the window must have at most 255 cells");
  XlaPool pool(threads);
  current_pooling_kernels().max_forward(pool, x.typed_data(), y->typed_data(), index->typed_data(), s);
  return ffi::Error::Success();
}

ffi::Error max_pool_gradient(ffi::ThreadPool threads, Numbers window, Numbers strides, Numbers padding, Floats dy,
                             Bytes index, ffi::Result<Floats> dx) {
  PoolingSizes s;
  if (ffi::Error e = sizes_of("max_pool_gradient", dx->dimensions(), dy.dimensions(), window, strides, padding, &s);
      e.failure())
    return e;
  if (!same_shape(index.dimensions(), dy.dimensions())) return invalid("max_pool_gradient: index must have the size of dy");
  XlaPool pool(threads);
  current_pooling_kernels().max_gradient(pool, dy.typed_data(), index.typed_data(), dx->typed_data(), s);
  return ffi::Error::Success();
}

ffi::Error mean_pool(ffi::ThreadPool threads, Numbers window, Numbers strides, Numbers padding, bool count_padding,
                     Floats x, ffi::Result<Floats> y) {
  PoolingSizes s;
  if (ffi::Error e = sizes_of("mean_pool", x.dimensions(), y->dimensions(), window, strides, padding, &s); e.failure())
    return e;
  XlaPool pool(threads);
  current_pooling_kernels().mean_forward(pool, x.typed_data(), y->typed_data(), s, count_padding);
  return ffi::Error::Success();
}

ffi::Error mean_pool_gradient(ffi::ThreadPool threads, Numbers window, Numbers strides, Numbers padding,
                              bool count_padding, Floats dy, ffi::Result<Floats> dx) {
  PoolingSizes s;
  if (ffi::Error e = sizes_of("mean_pool_gradient", dx->dimensions(), dy.dimensions(), window, strides, padding, &s);
      e.failure())
    return e;
  XlaPool pool(threads);
  current_pooling_kernels().mean_gradient(pool, dy.typed_data(), dx->typed_data(), s, count_padding);
  return ffi::Error::Success();
}

auto binding() {
  return ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<Numbers>("window").Attr<Numbers>("strides").Attr<Numbers>("padding");
}

}  // namespace
}  // namespace chainrule

using namespace chainrule;  // NOLINT: the macro needs unqualified names

CHAINRULE_HANDLER(chainrule_max_pool, max_pool, binding().Arg<Floats>().Ret<Floats>());
CHAINRULE_HANDLER(chainrule_max_pool_index, max_pool_index, binding().Arg<Floats>().Ret<Floats>().Ret<Bytes>());
CHAINRULE_HANDLER(chainrule_max_pool_gradient, max_pool_gradient,
                  binding().Arg<Floats>().Arg<Bytes>().Ret<Floats>());
CHAINRULE_HANDLER(chainrule_mean_pool, mean_pool, binding().Attr<bool>("count_padding").Arg<Floats>().Ret<Floats>());
CHAINRULE_HANDLER(chainrule_mean_pool_gradient, mean_pool_gradient,
                  binding().Attr<bool>("count_padding").Arg<Floats>().Ret<Floats>());
