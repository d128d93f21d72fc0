// Batch normalisation in training, channels last: statistics over rows, and what is made of them, in as few passes over
// the arrays as there can be.
#pragma once

#include "chainrule/isa.h"
#include "chainrule/pool.h"

namespace chainrule {

// x: [examples, rows, channels], dense. Rows of examples whose weight is not above 0 are left out of the statistics and
// normalised all the same.
struct BatchNormSizes {
  int64_t examples, rows, channels;
};

struct BatchNormForward {
  const float* x;
  const float* weight;  // [examples], or null: all count
  const float *gamma, *beta;  // [channels], as all that follows but y
  float epsilon;
  bool relu;  // NaN stays NaN
  float* y;   // gamma * (x - mean) / sqrt(variance + epsilon) + beta
  float *mean, *variance;  // the variance is the mean squared deviation; both 0 where nothing counts
};

struct BatchNormBackward {
  const float *dy, *x, *weight, *gamma, *beta;
  const float *mean, *variance;    // as forward gave them
  const float *dmean, *dvariance;  // the gradients that come in through the statistics themselves
  float epsilon;
  bool relu;  // then dy counts where the result was positive
  float* dx;
  float *dgamma, *dbeta;
};

// Both answer false where there was no memory for scratch. Results are written fully, also where an axis is empty, and
// have the same bits for any number of threads.
struct BatchNorm {
  bool (*forward)(Pool&, const BatchNormForward&, const BatchNormSizes&);
  bool (*backward)(Pool&, const BatchNormBackward&, const BatchNormSizes&);
};

}  // namespace chainrule

CHAINRULE_TABLE(BatchNorm, batch_norm)
