// The two activations of recurrent nets on whole vectors, to about two units in the last place.
//
// Both rest on e^x = 2^n (1 + p) with x = n ln 2 + r, |r| <= ln 2 / 2 and p = e^r - 1 as a polynomial (Cephes, expf). NaN
// stays NaN; the limits are exact: sigmoid(-inf) = 0, sigmoid(inf) = 1, tanh(+-inf) = +-1.
#pragma once

#include "chainrule/simd.h"

namespace chainrule::CHAINRULE_ISA::recurrent {

typedef uint32_t VecBits __attribute__((vector_size(CHAINRULE_WIDTH * 4)));

// The smaller and the larger of both; x where x is NaN.
inline __attribute__((always_inline)) Vec at_most(float bound, Vec x) {
#if defined(__AVX__) && CHAINRULE_WIDTH == 8
  return __builtin_ia32_minps256(broadcast(bound), x);
#else
  return bound < x ? broadcast(bound) : x;
#endif
}
inline __attribute__((always_inline)) Vec at_least(float bound, Vec x) {
#if defined(__AVX__) && CHAINRULE_WIDTH == 8
  return __builtin_ia32_maxps256(broadcast(bound), x);
#else
  return bound > x ? broadcast(bound) : x;
#endif
}

struct Exponential {
  Vec scale;     // 2^n
  Vec fraction;  // e^r - 1
};

// For -87.3 <= x <= 89; above 88.4 the scale is infinite.
inline __attribute__((always_inline)) Exponential exponential(Vec x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, left in the low bits
  const Vec shifted = x * 1.44269504f + kRound;
  const Vec n = shifted - kRound;
  const Vec r = (x - n * 0.693359375f) - n * -2.12194440e-4f;  // ln 2 in two parts: n times the first is exact
  Vec q = r * 1.9875691500e-4f + 1.3981999507e-3f;
  q = q * r + 8.3334519073e-3f;
  q = q * r + 4.1665795894e-2f;
  q = q * r + 1.6666665459e-1f;
  q = q * r + 5.0000001201e-1f;
  const VecBits bits = (reinterpret_cast<VecBits>(shifted) + 127u) << 23;  // kRound's own bits leave at the top
  return {reinterpret_cast<Vec>(bits), q * (r * r) + r};
}

// 1 / (1 + e^-x).
inline __attribute__((always_inline)) Vec sigmoid(Vec x) {
  const Exponential e = exponential(at_least(-87.0f, at_most(89.0f, -x)));
  return 1.0f / (1.0f + e.scale * (1.0f + e.fraction));  // the factors apart: infinite scale, negative fraction
}

// m / (m + 2) with m = e^2x - 1, which is exact near 0: there 2^n = 1 and m = p.
inline __attribute__((always_inline)) Vec tanh(Vec x) {
  const Exponential e = exponential(at_least(-20.0f, at_most(20.0f, x + x)));
  const Vec m = e.scale * e.fraction + (e.scale - 1.0f);
  return m / (m + 2.0f);
}

}  // namespace chainrule::CHAINRULE_ISA::recurrent
