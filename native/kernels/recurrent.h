// LSTM and GRU over a whole sequence: forward, backward, gradients of the weights.
//
// Every piece of work owns some rows of the batch for all steps, so that no thread ever waits for another within a
// sequence. Weights are the ones of Keras: [features, gates * units] and [units, gates * units], gates i, f, c, o or
// z, r, h (the convention that resets after the product). What forward keeps for backward is private to these kernels.
#pragma once

#include <cstdint>

#include "chainrule/isa.h"
#include "chainrule/pool.h"

namespace chainrule {

struct Recurrence {
  int64_t batch, time, features, units;
  bool reverse;
  const bool* mask;      // [batch, time], true: a real step; null: all are
  const float* dropout;  // [batch, units], multiplies the state wherever the product with the weights reads it; or null
};

struct RecurrentForward {
  Recurrence run;
  const float* x;          // [batch, time, features]
  const float* kernel;     // [features, gates * units]
  const float* recurrent;  // [units, gates * units]
  const float* bias;       // [4 * units], or [2, 3 * units]
  const float* h0;         // [batch, units]
  const float* c0;         // [batch, units]; LSTM only
  float* outputs;          // [batch, time, units]
  float* h;                // [batch, units]
  float* c;                // [batch, units]; LSTM only
  float* gates;            // [time, batch, 4 * units], kept for backward, zeros at masked steps; or null
  float* cells;            // [time, batch, units], the same; LSTM only
};

struct RecurrentBackward {
  Recurrence run;
  const float* recurrent;
  const float* h0;
  const float* c0;
  const float* outputs;
  const float* gates;
  const float* cells;
  const float* d_outputs;  // [batch, time, units]
  const float* d_h;        // [batch, units]
  const float* d_c;        // [batch, units]; LSTM only
  float* d_gates;          // [time, batch, 4 * units], may be `gates` itself: before activation; GRU: z, r, h of x, h of h
  float* d_h0;             // [batch, units]
  float* d_c0;             // [batch, units]; LSTM only
  float* d_dropout;        // [batch, units] where there is dropout
};

// One product: left rows are x (where d_kernel is wanted), the state before the step (where d_recurrent is wanted) and
// a 1; right rows are columns of d_gates.
struct RecurrentWeights {
  Recurrence run;
  const float* x;
  const float* h0;
  const float* outputs;
  const float* d_gates;  // [time, batch, 4 * units]
  int64_t columns;       // of the result
  int64_t jump_at, jump; // column j is read from j, from jump_at on from j + jump
  float* d_kernel;       // [features, columns] or null
  float* d_recurrent;    // [units, columns] or null
  float* d_bias;         // [columns]
};

// Each answers false where there is no memory for its scratch.
struct RecurrentKernels {
  bool (*lstm_forward)(Pool&, const RecurrentForward&);
  bool (*lstm_backward)(Pool&, const RecurrentBackward&);
  bool (*gru_forward)(Pool&, const RecurrentForward&);
  bool (*gru_backward)(Pool&, const RecurrentBackward&);
  bool (*weights)(Pool&, const RecurrentWeights&);
  void (*sigmoid)(const float* x, float* y, int64_t count);  // for tests of the activations
  void (*tanh)(const float* x, float* y, int64_t count);
};

}  // namespace chainrule

CHAINRULE_TABLE(::chainrule::RecurrentKernels, recurrent_kernels)
