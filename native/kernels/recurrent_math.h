// The two activations of recurrent nets on whole vectors, to about two units in the last place.
//
// Both rest on e^x = 2^n (1 + p) with x = n ln 2 + r, |r| <= ln 2 / 2 and p = e^r - 1 as a polynomial (Cephes, expf). NaN
// stays NaN; the limits are exact: sigmoid(-inf) = 0, sigmoid(inf) = 1, tanh(+-inf) = +-1.
#pragma once

#include "chainrule/simd.h"

namespace chainrule::CHAINRULE_ISA::recurrent {

typedef uint32_t VecBits __attribute__((vector_size(CHAINRULE_WIDTH * 4)));

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
  Vec y = -x;
  y = y > 89.0f ? broadcast(89.0f) : y;  // a comparison with NaN is false: NaN stays
  y = y < -87.0f ? broadcast(-87.0f) : y;
  const Exponential e = exponential(y);
  return 1.0f / (1.0f + (e.scale * e.fraction + e.scale));
}

// m / (m + 2) with m = e^2x - 1, which is exact near 0: there 2^n = 1 and m = p.
inline __attribute__((always_inline)) Vec tanh(Vec x) {
  Vec y = x + x;
  y = y > 20.0f ? broadcast(20.0f) : y;
  y = y < -20.0f ? broadcast(-20.0f) : y;
  const Exponential e = exponential(y);
  const Vec m = e.scale * e.fraction + (e.scale - 1.0f);
  return m / (m + 2.0f);
}

}  // namespace chainrule::CHAINRULE_ISA::recurrent
