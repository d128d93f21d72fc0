// What one step of a cell computes, on one vector of units, and its derivative.
#pragma once

#include "kernels/recurrent.h"
#include "kernels/recurrent_math.h"
#include "kernels/recurrent_tile.h"

namespace chainrule::CHAINRULE_ISA::recurrent {

struct Lstm {
  static constexpr int64_t kGates = 4;     // columns of the weights, in units
  static constexpr bool kHasCell = true;   // a second state c
  static constexpr bool kReadsState = false;  // whether the derivative reads the state before the step

  // The sum that gate `g` of the x product (part 0) or of the state's product (part 1) is added to.
  static constexpr int64_t sum_of(int64_t, int64_t g) { return g; }

  static float bias_of(const float* bias, int64_t sum, int64_t units, int64_t unit) { return bias[sum * units + unit]; }

  // Sums of the gates turn into what is kept for backward, in two passes over all rows: one pass would wait for the long
  // chain through c more often (LSTM forward 3 % slower).
  static CHAINRULE_INLINE void activate(Vec (&z)[4]) {
    z[0] = sigmoid(z[0]);
    z[1] = sigmoid(z[1]);
    z[2] = tanh(z[2]);
    z[3] = sigmoid(z[3]);
  }
  static CHAINRULE_INLINE void step(Vec (&z)[4], Vec& h, Vec& c) {
    c = z[1] * c + z[0] * z[2];
    h = z[3] * tanh(c);
  }

  // Gates turn into gradients of their sums; dh into the part of the state's gradient that bypasses the weights.
  static CHAINRULE_INLINE void step_back(Vec (&z)[4], Vec& dh, Vec& dc, Vec c, Vec c_before, Vec) {
    const Vec i = z[0], f = z[1], g = z[2], o = z[3];
    const Vec bent = tanh(c);
    dc += dh * o * (1.0f - bent * bent);
    z[0] = dc * g * (i * (1.0f - i));
    z[1] = dc * c_before * (f * (1.0f - f));
    z[2] = dc * i * (1.0f - g * g);
    z[3] = dh * bent * (o * (1.0f - o));
    dc *= f;
    dh = Vec{};
  }

  // The column of d_gates (in units) that gate `g` of the state's product has.
  static constexpr int64_t column_of(int64_t g) { return g; }
};

struct Gru {
  static constexpr int64_t kGates = 3;
  static constexpr bool kHasCell = false;
  static constexpr bool kReadsState = true;

  // Sums: z, r, the candidate's product with x, and the one with the state, which r multiplies.
  static constexpr int64_t sum_of(int64_t part, int64_t g) { return g == 2 && part == 1 ? 3 : g; }

  static float bias_of(const float* bias, int64_t sum, int64_t units, int64_t unit) {
    if (sum == 3) return bias[5 * units + unit];
    return bias[sum * units + unit] + (sum == 2 ? 0.0f : bias[(3 + sum) * units + unit]);
  }

  static CHAINRULE_INLINE void activate(Vec (&z)[4]) {
    z[0] = sigmoid(z[0]);
    z[1] = sigmoid(z[1]);
  }
  static CHAINRULE_INLINE void step(Vec (&z)[4], Vec& h, Vec&) {
    z[2] = tanh(z[2] + z[1] * z[3]);
    h = z[0] * h + (1.0f - z[0]) * z[2];
  }

  static CHAINRULE_INLINE void step_back(Vec (&z)[4], Vec& dh, Vec&, Vec, Vec, Vec h_before) {
    const Vec update = z[0], reset = z[1], candidate = z[2], inner = z[3];
    const Vec bent = dh * (1.0f - update) * (1.0f - candidate * candidate);
    z[0] = dh * (h_before - candidate) * (update * (1.0f - update));
    z[1] = bent * inner * (reset * (1.0f - reset));
    z[2] = bent;
    z[3] = bent * reset;
    dh *= update;
  }

  static constexpr int64_t column_of(int64_t g) { return g == 2 ? 3 : g; }
};

// The step in time that is done as number `s`.
CHAINRULE_INLINE int64_t time_of(const Recurrence& run, int64_t s) { return run.reverse ? run.time - 1 - s : s; }

CHAINRULE_INLINE bool is_real(const Recurrence& run, int64_t row, int64_t t) {
  return run.mask == nullptr || run.mask[row * run.time + t];
}

// The number of the first real step of a row; run.time if it has none.
inline int64_t first_real(const Recurrence& run, int64_t row) {
  int64_t s = 0;
  while (s < run.time && !is_real(run, row, time_of(run, s))) ++s;
  return s;
}

// The state before the step numbered `s`, given the row's first real one: masked steps before that left it at h0, while
// their outputs are zero.
CHAINRULE_INLINE const float* state_before(const Recurrence& run, const float* outputs, const float* h0, int64_t row,
                                           int64_t s, int64_t first) {
  if (s <= first) return h0 + row * run.units;
  return outputs + (row * run.time + time_of(run, s - 1)) * run.units;
}

}  // namespace chainrule::CHAINRULE_ISA::recurrent
