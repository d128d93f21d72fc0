// Sizes that come from outside: products and sums that tell when they do not fit.
#pragma once

#include <cstdint>

namespace chainrule {

// Largest number of elements a buffer may have: its bytes, and offsets a little beyond, still fit 63 bits.
constexpr int64_t kMostElements = int64_t{1} << 56;

// An int64 that remembers an overflow: compute freely, ask ok() once.
class Size {
 public:
  constexpr Size(int64_t value) : value_(value) {}  // NOLINT: numbers turn into sizes by themselves
  constexpr bool ok() const { return ok_; }
  constexpr int64_t value() const { return value_; }
  friend Size operator*(Size a, Size b) {
    Size c(0);
    c.ok_ = !__builtin_mul_overflow(a.value_, b.value_, &c.value_) && a.ok_ && b.ok_;
    return c;
  }
  friend Size operator+(Size a, Size b) {
    Size c(0);
    c.ok_ = !__builtin_add_overflow(a.value_, b.value_, &c.value_) && a.ok_ && b.ok_;
    return c;
  }
  friend Size operator-(Size a, Size b) {
    Size c(0);
    c.ok_ = !__builtin_sub_overflow(a.value_, b.value_, &c.value_) && a.ok_ && b.ok_;
    return c;
  }

 private:
  int64_t value_;
  bool ok_ = true;
};

// Whether this many elements can be held at all: not negative, no overflow on the way, at most kMostElements.
constexpr bool fits(Size size) { return size.ok() && size.value() >= 0 && size.value() <= kMostElements; }

}  // namespace chainrule
