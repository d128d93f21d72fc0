#include "kernels/conv.h"

#include "xla.h"

namespace chainrule {
namespace {

using Floats = ffi::Buffer<ffi::F32>;
using Result = ffi::Result<Floats>;
using Numbers = ffi::Span<const int64_t>;
using Dimensions = Floats::Dimensions;

// Strides, paddings and dilations beyond this are refused, so that places of cells can be computed without overflow.
constexpr int64_t kMostStep = int64_t{1} << 31;

struct Attributes {
  Numbers strides, padding, dilation;  // padding: before and after the rows, before and after the columns
  int64_t groups;
};

ffi::Error check_attributes(const char* who, const Attributes& a) {
  if (a.strides.size() != 2 || a.dilation.size() != 2 || a.padding.size() != 4)
    return invalid("%s: strides and dilation must be 2 numbers, padding 4; received %zu, %zu and %zu", who,
                   a.strides.size(), a.dilation.size(), a.padding.size());
  for (int axis = 0; axis < 2; ++axis)
    if (a.strides[axis] < 1 || a.strides[axis] > kMostStep || a.dilation[axis] < 1 || a.dilation[axis] > kMostStep)
      return invalid("%s: strides and dilation must be from 1 to 2^31; received %lld and %lld", who,
                     static_cast<long long>(a.strides[axis]), static_cast<long long>(a.dilation[axis]));
  for (int side = 0; side < 4; ++side)  // cells after an axis may be left out, so that the second may be negative
    if (a.padding[side] > kMostStep || a.padding[side] < (side % 2 == 0 ? 0 : -kMostStep))
      return invalid("%s: padding must be from 0 to 2^31; received %lld", who, static_cast<long long>(a.padding[side]));
  if (a.groups < 1)
    return invalid("%s: groups must be 1 or more; received %lld", who, static_cast<long long>(a.groups));
  return ffi::Error::Success();
}

// floor((size + before + after - dilation * (window - 1) - 1) / stride) + 1, and 0 where the window does not fit.
bool is_output_size(int64_t out, int64_t size, int64_t window, const Attributes& a, int axis) {
  const Size reach = Size(a.dilation[axis]) * (Size(window) - 1);
  const Size room = Size(size) + a.padding[2 * axis] + a.padding[2 * axis + 1] - reach - 1;
  if (!reach.ok() || !room.ok()) return false;
  return out == (room.value() < 0 ? 0 : room.value() / a.strides[axis] + 1);
}

// The number of floats that a block's copy of cells may take at most: all positions of an image and the window's reach.
bool copies_fit(const ConvSizes& s) {
  const Size tall = Size(s.oh) * s.stride_h + Size(s.dilation_h) * s.kh + Size(s.h) + s.pad_h;
  const Size wide = Size(s.ow) * s.stride_w + Size(s.dilation_w) * s.kw + Size(s.w) + s.pad_w;
  return fits(tall * wide * (Size(s.c) + s.f) * sizeof(float)) && fits(Size(s.n) * tall * wide * (Size(s.c) + s.f)) &&
         fits(Size(s.kh) * s.kw * (Size(s.c) + 64) * (Size(s.f) + 64) * 64);
}

ffi::Error sizes_of(const char* who, Dimensions x, Dimensions kernel, Dimensions y, const Attributes& a,
                    ConvSizes* sizes) {
  if (ffi::Error error = check_attributes(who, a); error.failure()) return error;
  if (x.size() != 4 || kernel.size() != 4 || y.size() != 4)
    return invalid("%s: input, kernel and output must have 4 axes; received %zu, %zu and %zu", who, x.size(),
                   kernel.size(), y.size());
  ConvSizes s{};
  s.n = x[0], s.h = x[1], s.w = x[2], s.c = x[3];
  s.kh = kernel[0], s.kw = kernel[1], s.f = kernel[3];
  s.oh = y[1], s.ow = y[2];
  s.stride_h = a.strides[0], s.stride_w = a.strides[1];
  s.pad_h = a.padding[0], s.pad_w = a.padding[2];
  s.dilation_h = a.dilation[0], s.dilation_w = a.dilation[1];
  s.groups = a.groups;
  if (s.c % s.groups != 0 || s.f % s.groups != 0 || kernel[2] != s.c / s.groups)
    return invalid("%s: a kernel of %lld channels and %lld filters in %lld groups does not go with %lld channels", who,
                   static_cast<long long>(kernel[2]), static_cast<long long>(s.f), static_cast<long long>(s.groups),
                   static_cast<long long>(s.c));
  if (y[0] != s.n || y[3] != s.f)
    return invalid("%s: output must be [%lld, ..., %lld]; received [%lld, ..., %lld]", who,
                   static_cast<long long>(s.n), static_cast<long long>(s.f), static_cast<long long>(y[0]),
                   static_cast<long long>(y[3]));
  if (!is_output_size(s.oh, s.h, s.kh, a, 0) || !is_output_size(s.ow, s.w, s.kw, a, 1))
    return invalid("%s: %lld x %lld positions do not follow from an input of %lld x %lld cells", who,
                   static_cast<long long>(s.oh), static_cast<long long>(s.ow), static_cast<long long>(s.h),
                   static_cast<long long>(s.w));
  if (!copies_fit(s)) return invalid("%s: too large", who);
  *sizes = s;
  return ffi::Error::Success();
}

// The bias, or null where an array of no elements stands for none.
ffi::Error check_bias(const char* who, const Floats& bias, int64_t channels, const float** found) {
  const int64_t count = static_cast<int64_t>(bias.element_count());
  if (bias.dimensions().size() != 1 || (count != 0 && count != channels))
    return invalid("%s: bias must have one axis of 0 or %lld; received %zu axes, %lld elements", who,
                   static_cast<long long>(channels), bias.dimensions().size(), static_cast<long long>(count));
  *found = count == 0 ? nullptr : bias.typed_data();
  return ffi::Error::Success();
}

ffi::Error forward(ffi::ThreadPool threads, Floats x, Floats kernel, Floats bias, Result y, Numbers strides,
                   Numbers padding, Numbers dilation, int64_t groups, bool relu, bool precise) {
  const char* who = "chainrule_conv_forward";
  ConvSizes s;
  const float* shift = nullptr;
  const Attributes attributes{strides, padding, dilation, groups};
  if (ffi::Error e = sizes_of(who, x.dimensions(), kernel.dimensions(), y->dimensions(), attributes, &s); e.failure())
    return e;
  if (ffi::Error e = check_bias(who, bias, s.f, &shift); e.failure()) return e;
  XlaPool pool(threads);
  const bool done = current_conv().forward(pool, x.typed_data(), kernel.typed_data(), shift, y->typed_data(), s, relu,
                                           precise);
  return done ? ffi::Error::Success() : out_of_memory(who);
}

ffi::Error input_gradient(ffi::ThreadPool threads, Floats dy, Floats kernel, Floats bias, Result dx, Numbers strides,
                          Numbers padding, Numbers dilation, int64_t groups, bool precise) {
  const char* who = "chainrule_conv_input_gradient";
  ConvSizes s;
  const float* shift = nullptr;
  const Attributes attributes{strides, padding, dilation, groups};
  if (ffi::Error e = sizes_of(who, dx->dimensions(), kernel.dimensions(), dy.dimensions(), attributes, &s);
      e.failure())
    return e;
  if (ffi::Error e = check_bias(who, bias, s.c, &shift); e.failure()) return e;
  XlaPool pool(threads);
  const bool done = current_conv().input_gradient(pool, dy.typed_data(), kernel.typed_data(), shift, dx->typed_data(),
                                                  s, precise);
  return done ? ffi::Error::Success() : out_of_memory(who);
}

ffi::Error kernel_gradient(ffi::ThreadPool threads, Floats x, Floats dy, Result dkernel, Numbers strides,
                           Numbers padding, Numbers dilation, int64_t groups, bool precise) {
  const char* who = "chainrule_conv_kernel_gradient";
  ConvSizes s;
  const Attributes attributes{strides, padding, dilation, groups};
  if (ffi::Error e = sizes_of(who, x.dimensions(), dkernel->dimensions(), dy.dimensions(), attributes, &s);
      e.failure())
    return e;
  XlaPool pool(threads);
  const bool done =
      current_conv().kernel_gradient(pool, x.typed_data(), dy.typed_data(), dkernel->typed_data(), s, precise);
  return done ? ffi::Error::Success() : out_of_memory(who);
}

bool same_shape(Dimensions a, Dimensions b) {
  bool same = a.size() == b.size();
  for (size_t axis = 0; same && axis < a.size(); ++axis) same = a[axis] == b[axis];
  return same;
}

// Rows and columns of an array: its last axis, and all others.
ffi::Error rows_of(const char* who, const Floats& dy, const Floats& sums, int64_t* rows, int64_t* columns) {
  if (dy.dimensions().size() < 1 || sums.dimensions().size() != 1 || sums.dimensions()[0] != dy.dimensions().back())
    return invalid("%s: the sums must have one axis, as long as the last axis of the gradient", who);
  *columns = dy.dimensions().back();
  *rows = *columns == 0 ? 0 : static_cast<int64_t>(dy.element_count()) / *columns;
  return ffi::Error::Success();
}

ffi::Error relu_gradient(ffi::ThreadPool threads, Floats dy, Floats y, Result g, Result sums) {
  const char* who = "chainrule_conv_relu_gradient";
  int64_t rows = 0, columns = 0;
  if (ffi::Error e = rows_of(who, dy, *sums, &rows, &columns); e.failure()) return e;
  if (!same_shape(y.dimensions(), dy.dimensions()) || !same_shape(g->dimensions(), dy.dimensions()))
    return invalid("%s: the arrays differ in shape", who);
  XlaPool pool(threads);
  const bool done = current_conv().relu_gradient(pool, dy.typed_data(), y.typed_data(), g->typed_data(),
                                                 sums->typed_data(), rows, columns);
  return done ? ffi::Error::Success() : out_of_memory(who);
}

ffi::Error sums(ffi::ThreadPool threads, Floats dy, Result sums) {
  const char* who = "chainrule_conv_sums";
  int64_t rows = 0, columns = 0;
  if (ffi::Error e = rows_of(who, dy, *sums, &rows, &columns); e.failure()) return e;
  XlaPool pool(threads);
  const bool done =
      current_conv().relu_gradient(pool, dy.typed_data(), nullptr, nullptr, sums->typed_data(), rows, columns);
  return done ? ffi::Error::Success() : out_of_memory(who);
}

auto threaded() { return ffi::Ffi::Bind().Ctx<ffi::ThreadPool>(); }

}  // namespace
}  // namespace chainrule

using namespace chainrule;  // NOLINT: what follows are exported handlers

CHAINRULE_HANDLER(chainrule_conv_forward, forward,
                  threaded()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Ret<Floats>()
                      .Attr<Numbers>("strides")
                      .Attr<Numbers>("padding")
                      .Attr<Numbers>("dilation")
                      .Attr<int64_t>("groups")
                      .Attr<bool>("relu")
                      .Attr<bool>("precise"));

CHAINRULE_HANDLER(chainrule_conv_input_gradient, input_gradient,
                  threaded()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Ret<Floats>()
                      .Attr<Numbers>("strides")
                      .Attr<Numbers>("padding")
                      .Attr<Numbers>("dilation")
                      .Attr<int64_t>("groups")
                      .Attr<bool>("precise"));

CHAINRULE_HANDLER(chainrule_conv_kernel_gradient, kernel_gradient,
                  threaded()
                      .Arg<Floats>()
                      .Arg<Floats>()
                      .Ret<Floats>()
                      .Attr<Numbers>("strides")
                      .Attr<Numbers>("padding")
                      .Attr<Numbers>("dilation")
                      .Attr<int64_t>("groups")
                      .Attr<bool>("precise"));

CHAINRULE_HANDLER(chainrule_conv_relu_gradient, relu_gradient,
                  threaded().Arg<Floats>().Arg<Floats>().Ret<Floats>().Ret<Floats>());

CHAINRULE_HANDLER(chainrule_conv_sums, sums, threaded().Arg<Floats>().Ret<Floats>());
