// The sizes of a convolution, shared by its kernels. Data only: an inline function here would be compiled for several
// instruction sets under one name.
#pragma once

#include <cstdint>

namespace chainrule {

// y[n, i, j, f] = sum over (a, b, c) of x[n, i*stride_h + a*dilation_h - pad_h, j*stride_w + b*dilation_w - pad_w, c] *
// kernel[a, b, c, f], with x taken as 0 outside; channel c of group g is x's channel g * (c's count) + c, and
// filter f belongs to group f / (filters / groups).
//
// x: [n, h, w, c], kernel: [kh, kw, c / groups, f], y: [n, oh, ow, f], all dense, channels last.
// pad_h and pad_w are the cells before; what lies after follows from oh and ow (windows may reach beyond h and w, and
// cells of x may be covered by no window).
struct ConvSizes {
  int64_t n, h, w, c;
  int64_t kh, kw, f;
  int64_t oh, ow;
  int64_t stride_h, stride_w;
  int64_t pad_h, pad_w;
  int64_t dilation_h, dilation_w;
  int64_t groups;
};

}  // namespace chainrule
