// Batch normalisation and its gradients agree with sums in double precision, write every output and nothing else, and
// have the same bits for any number of threads.
#include "harness.h"

#include <algorithm>
#include <cmath>

#include "kernels/normalization.h"

using namespace chainrule;
using namespace chainrule::testing;

namespace {

struct Problem {
  Problem(const BatchNormSizes& s, Random& random, Guarded::Edge edge)
      : sizes(s),
        x(s.examples * s.rows * s.channels, edge),
        dy(x.size(), edge),
        weight(s.examples, edge),
        gamma(s.channels, edge),
        beta(s.channels, edge),
        dmean(s.channels, edge),
        dvariance(s.channels, edge) {
    for (Guarded* each : {&x, &dy, &gamma, &beta, &dmean, &dvariance}) random.fill(*each, each->size());
    const float centre = 10 * random.uniform();
    for (int64_t i = 0; i < x.size(); ++i) x[i] += centre;
    for (int64_t i = 0; i < weight.size(); ++i) weight[i] = random.between(0, 2) ? 1.0f : 0.0f;
    is_weighted = random.between(0, 1) && s.examples > 0;
    relu = random.between(0, 1);
    epsilon = random.between(0, 1) ? 1e-3f : 1e-1f;
  }
  BatchNormSizes sizes;
  Guarded x, dy, weight, gamma, beta, dmean, dvariance;
  bool is_weighted, relu;
  float epsilon;
};

struct Results {
  Results(const BatchNormSizes& s, Guarded::Edge edge)
      : y(s.examples * s.rows * s.channels, edge),
        dx(y.size(), edge),
        mean(s.channels, edge),
        variance(s.channels, edge),
        dgamma(s.channels, edge),
        dbeta(s.channels, edge) {}
  Guarded y, dx, mean, variance, dgamma, dbeta;
};

void compute(const Problem& p, int threads, Results& r) {
  ThreadPool pool(threads);
  const float* weight = p.is_weighted ? p.weight.data() : nullptr;
  const BatchNormForward forward{p.x.data(),  weight,       p.gamma.data(),  p.beta.data(),    p.epsilon,
                                 p.relu,      r.y.data(),   r.mean.data(),   r.variance.data()};
  EXPECT(current_batch_norm().forward(pool, forward, p.sizes), "no memory");
  const BatchNormBackward backward{p.dy.data(),    p.x.data(),        weight,           p.gamma.data(),
                                   p.beta.data(),  r.mean.data(),     r.variance.data(), p.dmean.data(),
                                   p.dvariance.data(), p.epsilon,     p.relu,           r.dx.data(),
                                   r.dgamma.data(), r.dbeta.data()};
  EXPECT(current_batch_norm().backward(pool, backward, p.sizes), "no memory");
}

// The same in double precision. Whether a ReLU is open is taken from `y`, since values close to 0 may round either way.
struct Wanted {
  Wanted(const Problem& p, const Guarded& rounded) : y(p.x.size()), dx(p.x.size()) {
    const BatchNormSizes& s = p.sizes;
    for (std::vector<double>* each : {&mean, &variance, &dgamma, &dbeta}) each->resize(s.channels);
    const int64_t rows = s.examples * s.rows;
    const auto counts = [&](int64_t row) { return !p.is_weighted || p.weight[row / s.rows] > 0; };
    for (int64_t c = 0; c < s.channels; ++c) {
      double count = 0, sum = 0, squares = 0;
      for (int64_t row = 0; row < rows; ++row)
        if (counts(row)) ++count, sum += p.x[row * s.channels + c];
      count = std::max(count, 1.0);
      mean[c] = sum / count;
      for (int64_t row = 0; row < rows; ++row)
        if (counts(row)) squares += std::pow(p.x[row * s.channels + c] - mean[c], 2);
      variance[c] = squares / count;
      const double rstd = 1 / std::sqrt(variance[c] + p.epsilon);
      const auto open = [&](int64_t at) { return !p.relu || rounded[at] > 0; };
      for (int64_t row = 0; row < rows; ++row) {
        const int64_t at = row * s.channels + c;
        const double centred = p.x[at] - mean[c], value = p.gamma[c] * centred * rstd + p.beta[c];
        y[at] = p.relu ? std::max(value, 0.0) : value;
        if (open(at)) dbeta[c] += p.dy[at], dgamma[c] += p.dy[at] * centred * rstd;
      }
      for (int64_t row = 0; row < rows; ++row) {
        const int64_t at = row * s.channels + c;
        const double centred = p.x[at] - mean[c];
        dx[at] = open(at) ? p.dy[at] * p.gamma[c] * rstd : 0;
        if (!counts(row)) continue;
        dx[at] += centred * (2 * p.dvariance[c] - p.gamma[c] * rstd * rstd * dgamma[c]) / count;
        dx[at] += (p.dmean[c] - p.gamma[c] * rstd * dbeta[c]) / count;
      }
    }
  }
  std::vector<double> y, dx, mean, variance, dgamma, dbeta;
};

bool has_same_bits(const Guarded& a, const Guarded& b) {
  return std::memcmp(a.data(), b.data(), static_cast<size_t>(a.size()) * sizeof(float)) == 0;
}

void check(const BatchNormSizes& s, Random& random) {
  const Guarded::Edge edge = random.between(0, 1) ? Guarded::Edge::end : Guarded::Edge::start;
  const Problem p(s, random, edge);
  const int threads = static_cast<int>(random.between(2, 4));
  for (Isa isa : isas()) {
    select_isa(isa);
    Results one(s, edge), many(s, edge);
    compute(p, 1, one);
    compute(p, threads, many);
    const Wanted wanted(p, one.y);
    const double errors[] = {
        relative_error(one.y, wanted.y, one.y.size()),           relative_error(one.mean, wanted.mean, s.channels),
        relative_error(one.variance, wanted.variance, s.channels), relative_error(one.dx, wanted.dx, one.dx.size()),
        relative_error(one.dgamma, wanted.dgamma, s.channels),   relative_error(one.dbeta, wanted.dbeta, s.channels)};
    EXPECT(errors[0] <= 1e-5 && errors[1] <= 1e-5 && errors[2] <= 1e-5 && errors[3] <= 5e-5 && errors[4] <= 5e-5 &&
               errors[5] <= 5e-5,
           "%s: %d x %d x %d%s%s: errors %.1e %.1e %.1e %.1e %.1e %.1e", isa_name(isa), (int)s.examples, (int)s.rows,
           (int)s.channels, p.is_weighted ? ", weights" : "", p.relu ? ", ReLU" : "", errors[0], errors[1], errors[2],
           errors[3], errors[4], errors[5]);
    EXPECT(has_same_bits(one.y, many.y) && has_same_bits(one.mean, many.mean) &&
               has_same_bits(one.variance, many.variance) && has_same_bits(one.dx, many.dx) &&
               has_same_bits(one.dgamma, many.dgamma) && has_same_bits(one.dbeta, many.dbeta),
           "%s: %d threads give other bits", isa_name(isa), threads);
  }
}

BatchNormSizes random_sizes(Random& random) {
  BatchNormSizes s{};
  s.examples = random.between(0, 15) ? random.between(1, 9) : 0;
  s.rows = random.between(0, 15) ? random.between(1, random.between(0, 3) ? 9 : 60) : 0;
  s.channels = random.between(0, 31) ? random.between(1, random.between(0, 3) ? 20 : 70) : 0;
  return s;
}

// The mean is a thousand standard deviations away: E[x^2] - E[x]^2 would have no digit left.
void test_far_from_zero(Random& random) {
  const BatchNormSizes s{7, 300, 9};
  Problem p(s, random, Guarded::Edge::end);
  p.is_weighted = p.relu = false;
  for (int64_t i = 0; i < p.x.size(); ++i) p.x[i] = 1000 + random.uniform();
  for (Isa isa : isas()) {
    select_isa(isa);
    Results r(s, Guarded::Edge::end);
    compute(p, 2, r);
    const Wanted wanted(p, r.y);
    EXPECT(relative_error(r.variance, wanted.variance, s.channels) <= 1e-5, "%s", isa_name(isa));
    EXPECT(relative_error(r.mean, wanted.mean, s.channels) <= 1e-7, "%s", isa_name(isa));
    // the mean itself is rounded to 3e-5, a ten-thousandth of the standard deviation
    EXPECT(relative_error(r.y, wanted.y, r.y.size()) <= 1e-4, "%s", isa_name(isa));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t count = shapes(argc, argv, 2000);
  Random random(6);
  for (int64_t i = 0; i < count; ++i) check(random_sizes(random), random);
  check({5, 1100, 16}, random);  // several items
  check({3, 700, 33}, random);
  check({900, 1, 37}, random);
  check({2, 2, 20000}, random);  // a row is more than an item
  test_far_from_zero(random);
  return finish("normalization", count + 5);
}
