// LSTM and GRU against double-precision loops, over random shapes, on every instruction set and number of threads.
#include "kernels/recurrent.h"

#include <memory>

#include "harness.h"

using namespace chainrule;
using namespace chainrule::testing;

namespace {

using Doubles = std::vector<double>;

struct Case {
  bool gru, masked, dropped;
  Recurrence run;
  int64_t gates() const { return gru ? 3 : 4; }
  int64_t columns() const { return gates() * run.units; }
  int64_t biases() const { return gru ? 6 * run.units : 4 * run.units; }
};

Case draw(Random& random, int64_t number) {
  const int64_t sizes[] = {1, 2, 3, 5, 7, 8, 9, 13, 16, 17, 31, 32, 33, 37, 67};
  Case k{};
  k.gru = random.between(0, 1) == 1;
  k.masked = random.between(0, 2) == 0;
  k.dropped = random.between(0, 2) == 0;
  k.run.batch = number % 50 == 0 ? random.between(40, 120) : random.between(0, 9);
  k.run.time = random.between(0, 6);
  k.run.features = random.between(0, 4) == 0 ? 0 : sizes[random.between(0, 14)];
  k.run.units = sizes[random.between(0, number % 50 == 0 ? 5 : 14)];
  if (number % 97 == 1) k.run.features = 261, k.run.units = 131, k.run.batch = 4, k.run.time = 2;  // several blocks
  k.run.reverse = random.between(0, 1) == 1;
  return k;
}

// Everything a case takes, behind guards.
struct Inputs {
  Guarded x, kernel, recurrent, bias, h0, c0, d_outputs, d_h, d_c, dropout, mask_memory;
  bool* mask;
  Recurrence run;

  Inputs(const Case& k, Random& random)
      : x(k.run.batch * k.run.time * k.run.features), kernel(k.run.features * k.columns()),
        recurrent(k.run.units * k.columns()), bias(k.biases()), h0(k.run.batch * k.run.units), c0(h0.size()),
        d_outputs(k.run.batch * k.run.time * k.run.units), d_h(h0.size()), d_c(h0.size()), dropout(h0.size()),
        mask_memory((k.run.batch * k.run.time + 3) / 4), run(k.run) {
    for (Guarded* one : {&x, &bias, &h0, &c0, &d_outputs, &d_h, &d_c}) random.fill(*one, one->size());
    for (Guarded* one : {&kernel, &recurrent}) {
      random.fill(*one, one->size());
      const float scale = 1.5f / std::sqrt(static_cast<float>(one == &kernel ? k.run.features + 1 : k.run.units));
      for (int64_t i = 0; i < one->size(); ++i) (*one)[i] *= scale;
    }
    for (int64_t i = 0; i < dropout.size(); ++i) dropout[i] = random.between(0, 3) == 0 ? 0.0f : 4.0f / 3.0f;
    const int64_t steps = k.run.batch * k.run.time;
    mask = reinterpret_cast<bool*>(mask_memory.data() + mask_memory.size()) - steps;
    for (int64_t i = 0; i < steps; ++i) {
      mask[i] = !k.masked || random.between(0, 2) > 0;
      for (int64_t j = 0; !mask[i] && j < k.run.features; ++j) x[i * k.run.features + j] = NAN;  // must not matter
    }
    if (k.masked && k.run.batch > 1)
      for (int64_t t = 0; t < k.run.time; ++t) {  // one row without any real step
        mask[t] = false;
        for (int64_t j = 0; j < k.run.features; ++j) x[t * k.run.features + j] = NAN;
      }
    run.mask = k.masked ? mask : nullptr;
    run.dropout = k.dropped ? dropout.data() : nullptr;
  }
};

struct Reference {
  Doubles outputs, h, c, d_gates, d_h0, d_c0, d_dropout, d_kernel, d_recurrent, d_bias;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One row of the batch through time and back, in the manner of a textbook.
class Row {
 public:
  Row(const Case& k, const Inputs& in, int64_t row, Reference& r) : k_(k), in_(in), row_(row), r_(r) {
    const int64_t units = k.run.units;
    h_.assign(in.h0.data() + row * units, in.h0.data() + (row + 1) * units);
    c_.assign(in.c0.data() + row * units, in.c0.data() + (row + 1) * units);
  }

  void run() {
    const int64_t time = k_.run.time, units = k_.run.units;
    Doubles output(units, 0.0);
    for (int64_t s = 0; s < time; ++s) {
      if (is_real(s)) {
        step();
        output = h_;
      } else {
        kept_.push_back({});
      }
      for (int64_t j = 0; j < units; ++j) r_.outputs[(row_ * time + at(s)) * units + j] = output[j];
    }
    for (int64_t j = 0; j < units; ++j) r_.h[row_ * units + j] = h_[j], r_.c[row_ * units + j] = c_[j];
    back();
  }

 private:
  struct Step {
    Doubles h, c, z, hidden, next_c;  // states before, activated gates, GRU: product of the state for the candidate
  };

  int64_t at(int64_t s) const { return k_.run.reverse ? k_.run.time - 1 - s : s; }
  bool is_real(int64_t s) const { return !k_.masked || in_.mask[row_ * k_.run.time + at(s)]; }
  double seen(double h, int64_t j) const { return k_.dropped ? h * in_.dropout[row_ * k_.run.units + j] : h; }
  const float* x(int64_t s) const { return in_.x.data() + (row_ * k_.run.time + at(s)) * k_.run.features; }

  void step() {
    const int64_t units = k_.run.units, columns = k_.columns(), s = static_cast<int64_t>(kept_.size());
    Step step{h_, c_, Doubles(columns), Doubles(units), {}};
    for (int64_t j = 0; j < columns; ++j) {
      double of_x = in_.bias[j], of_h = k_.gru ? in_.bias[columns + j] : 0.0;
      for (int64_t i = 0; i < k_.run.features; ++i) of_x += static_cast<double>(x(s)[i]) * in_.kernel[i * columns + j];
      for (int64_t i = 0; i < units; ++i) of_h += seen(h_[i], i) * in_.recurrent[i * columns + j];
      const int64_t gate = j / units;
      if (k_.gru && gate == 2) {
        step.hidden[j % units] = of_h;
        step.z[j] = std::tanh(of_x + step.z[j - units] * of_h);
      } else {
        step.z[j] = !k_.gru && gate == 2 ? std::tanh(of_x + of_h) : sigmoid(of_x + of_h);
      }
    }
    const double* z = step.z.data();
    for (int64_t j = 0; j < units; ++j) {
      if (k_.gru) {
        h_[j] = z[j] * h_[j] + (1 - z[j]) * z[2 * units + j];
      } else {
        c_[j] = z[units + j] * c_[j] + z[j] * z[2 * units + j];
        h_[j] = z[3 * units + j] * std::tanh(c_[j]);
      }
    }
    step.next_c = c_;
    kept_.push_back(step);
  }

  void back() {
    const int64_t units = k_.run.units;
    Doubles dh(in_.d_h.data() + row_ * units, in_.d_h.data() + (row_ + 1) * units);
    Doubles dc(in_.d_c.data() + row_ * units, in_.d_c.data() + (row_ + 1) * units);
    Doubles last(units, 0.0);  // gradient of the last output, from the masked steps that repeat it
    for (int64_t s = k_.run.time - 1; s >= 0; --s) {
      for (int64_t j = 0; j < units; ++j) last[j] += in_.d_outputs[(row_ * k_.run.time + at(s)) * units + j];
      if (!is_real(s)) continue;
      for (int64_t j = 0; j < units; ++j) dh[j] += last[j], last[j] = 0;
      step_back(s, dh, dc);
    }
    for (int64_t j = 0; j < units; ++j) r_.d_h0[row_ * units + j] = dh[j], r_.d_c0[row_ * units + j] = dc[j];
  }

  void step_back(int64_t s, Doubles& dh, Doubles& dc) {
    const int64_t units = k_.run.units, columns = k_.columns();
    const Step& step = kept_[s];
    Doubles of_x(columns), of_h(columns), direct(units, 0.0);
    for (int64_t j = 0; j < units; ++j) {
      const double *z = step.z.data() + j, a = z[0], b = z[units], g = z[2 * units];
      if (k_.gru) {
        const double bent = dh[j] * (1 - a) * (1 - g * g);
        of_x[j] = dh[j] * (step.h[j] - g) * a * (1 - a);
        of_x[units + j] = bent * step.hidden[j] * b * (1 - b);
        of_x[2 * units + j] = bent;
        direct[j] = dh[j] * a;
      } else {
        const double o = z[3 * units], t = std::tanh(step.next_c[j]);
        dc[j] += dh[j] * o * (1 - t * t);
        of_x[j] = dc[j] * g * a * (1 - a);
        of_x[units + j] = dc[j] * step.c[j] * b * (1 - b);
        of_x[2 * units + j] = dc[j] * a * (1 - g * g);
        of_x[3 * units + j] = dh[j] * t * o * (1 - o);
        dc[j] *= b;
      }
    }
    of_h = of_x;
    for (int64_t j = 0; k_.gru && j < units; ++j) of_h[2 * units + j] *= step.z[units + j];
    add_weights(s, of_x, of_h);
    for (int64_t i = 0; i < units; ++i) {
      double sum = 0;
      for (int64_t j = 0; j < columns; ++j) sum += of_h[j] * in_.recurrent[i * columns + j];
      if (k_.dropped) r_.d_dropout[row_ * units + i] += sum * step.h[i];
      dh[i] = direct[i] + seen(sum, i);
    }
  }

  void add_weights(int64_t s, const Doubles& of_x, const Doubles& of_h) {
    const int64_t units = k_.run.units, columns = k_.columns();
    double* const d_gates = r_.d_gates.data() + (at(s) * k_.run.batch + row_) * 4 * units;
    for (int64_t j = 0; j < columns; ++j) {
      d_gates[j] = of_x[j];
      for (int64_t i = 0; i < k_.run.features; ++i) r_.d_kernel[i * columns + j] += x(s)[i] * of_x[j];
      for (int64_t i = 0; i < units; ++i) r_.d_recurrent[i * columns + j] += seen(kept_[s].h[i], i) * of_h[j];
      r_.d_bias[j] += of_x[j];
      if (k_.gru) r_.d_bias[columns + j] += of_h[j];
    }
    for (int64_t j = 0; k_.gru && j < units; ++j) d_gates[columns + j] = of_h[2 * units + j];
  }

  const Case& k_;
  const Inputs& in_;
  int64_t row_;
  Reference& r_;
  Doubles h_, c_;
  std::vector<Step> kept_;
};

Reference reference(const Case& k, const Inputs& in) {
  const int64_t states = k.run.batch * k.run.units, steps = states * k.run.time;
  Reference r;
  r.outputs.assign(steps, 0.0);
  r.d_gates.assign(4 * steps, 0.0);
  for (Doubles* one : {&r.h, &r.c, &r.d_h0, &r.d_c0, &r.d_dropout}) one->assign(states, 0.0);
  r.d_kernel.assign(k.run.features * k.columns(), 0.0);
  r.d_recurrent.assign(k.run.units * k.columns(), 0.0);
  r.d_bias.assign(k.biases(), 0.0);
  for (int64_t row = 0; row < k.run.batch; ++row) Row(k, in, row, r).run();
  return r;
}

// What the kernels make of a case.
struct Results {
  Guarded outputs, h, c, gates, cells, inferred, d_gates, d_h0, d_c0, d_dropout, d_kernel, d_recurrent, d_bias;
  bool done = true;

  Results(const Case& k, const Inputs& in, Pool& pool)
      : outputs(in.d_outputs.size()), h(in.h0.size()), c(h.size()), gates(4 * outputs.size()), cells(outputs.size()),
        inferred(outputs.size()), d_gates(gates.size()), d_h0(h.size()), d_c0(h.size()),
        d_dropout(k.dropped ? h.size() : 0), d_kernel(in.kernel.size()), d_recurrent(in.recurrent.size()),
        d_bias(in.bias.size()) {
    const RecurrentKernels& kernels = current_recurrent_kernels();
    RecurrentForward f{in.run, in.x.data(), in.kernel.data(), in.recurrent.data(), in.bias.data(), in.h0.data(),
                       in.c0.data(), inferred.data(), h.data(), c.data(), nullptr, nullptr};
    done &= (k.gru ? kernels.gru_forward : kernels.lstm_forward)(pool, f);
    f.outputs = outputs.data(), f.gates = gates.data(), f.cells = cells.data();
    done &= (k.gru ? kernels.gru_forward : kernels.lstm_forward)(pool, f);
    const RecurrentBackward b{in.run, in.recurrent.data(), in.h0.data(), in.c0.data(), outputs.data(), gates.data(),
                              cells.data(), in.d_outputs.data(), in.d_h.data(), in.d_c.data(), d_gates.data(),
                              d_h0.data(), d_c0.data(), d_dropout.data()};
    done &= (k.gru ? kernels.gru_backward : kernels.lstm_backward)(pool, b);
    add_weights(k, in, pool);
  }

  void add_weights(const Case& k, const Inputs& in, Pool& pool) {
    const RecurrentKernels& kernels = current_recurrent_kernels();
    RecurrentWeights w{in.run, in.x.data(), in.h0.data(), outputs.data(), d_gates.data(), k.columns(), k.columns(), 0,
                       d_kernel.data(), d_recurrent.data(), d_bias.data()};
    if (k.gru) w.d_recurrent = nullptr;
    done &= kernels.weights(pool, w);
    if (!k.gru) return;
    w.d_kernel = nullptr, w.d_recurrent = d_recurrent.data(), w.d_bias += w.columns;
    w.jump_at = 2 * k.run.units, w.jump = k.run.units;
    done &= kernels.weights(pool, w);
  }
};

void compare(const char* what, const Guarded& found, const Doubles& wanted, double bound, const Case& k, const char* isa) {
  const double error = relative_error(found, wanted, found.size());
  EXPECT(error <= bound, "%s of %s on %s: %g; batch %lld time %lld features %lld units %lld reverse %d mask %d dropout %d",
         what, k.gru ? "GRU" : "LSTM", isa, error, static_cast<long long>(k.run.batch),
         static_cast<long long>(k.run.time), static_cast<long long>(k.run.features),
         static_cast<long long>(k.run.units), k.run.reverse, k.masked, k.dropped);
}

void check(const Case& k, const Results& got, const Reference& r, const char* isa) {
  compare("outputs", got.outputs, r.outputs, 1e-5, k, isa);
  compare("outputs alone", got.inferred, r.outputs, 1e-5, k, isa);
  compare("h", got.h, r.h, 1e-5, k, isa);
  if (!k.gru) compare("c", got.c, r.c, 1e-5, k, isa);
  compare("d_gates", got.d_gates, r.d_gates, 5e-5, k, isa);
  compare("d_h0", got.d_h0, r.d_h0, 5e-5, k, isa);
  if (!k.gru) compare("d_c0", got.d_c0, r.d_c0, 5e-5, k, isa);
  compare("d_dropout", got.d_dropout, r.d_dropout, 5e-5, k, isa);
  compare("d_kernel", got.d_kernel, r.d_kernel, 5e-5, k, isa);
  compare("d_recurrent", got.d_recurrent, r.d_recurrent, 5e-5, k, isa);
  compare("d_bias", got.d_bias, r.d_bias, 5e-5, k, isa);
}

bool same_bits(const Guarded& a, const Guarded& b) {
  return std::memcmp(a.data(), b.data(), static_cast<size_t>(a.size()) * sizeof(float)) == 0;
}

bool same_bits(const Results& a, const Results& b, bool gru) {
  return same_bits(a.outputs, b.outputs) && same_bits(a.inferred, b.inferred) && same_bits(a.h, b.h) &&
         (gru || same_bits(a.c, b.c)) && same_bits(a.d_gates, b.d_gates) && same_bits(a.d_h0, b.d_h0) &&
         (gru || same_bits(a.d_c0, b.d_c0)) && same_bits(a.d_dropout, b.d_dropout) &&
         same_bits(a.d_kernel, b.d_kernel) && same_bits(a.d_recurrent, b.d_recurrent) && same_bits(a.d_bias, b.d_bias);
}

// The activations to 4 units in the last place wherever the result is a normal number, and their limits.
void test_activations(const char* isa) {
  const RecurrentKernels& kernels = current_recurrent_kernels();
  constexpr int64_t kCount = 40001;
  std::vector<float> x(kCount), s(kCount), t(kCount);
  for (int64_t i = 0; i < kCount; ++i) x[i] = static_cast<float>((i - 20000) * 0.005) + (i % 7) * 1e-4f;
  for (int64_t i = 0; i < 200; ++i) x[i * 100] = std::ldexp(i % 2 ? 1.3f : -1.7f, static_cast<int>(i / 2) - 100);
  kernels.sigmoid(x.data(), s.data(), kCount);
  kernels.tanh(x.data(), t.data(), kCount);
  for (int64_t i = 0; i < kCount; ++i) {
    const double p = sigmoid(static_cast<double>(x[i])), q = std::tanh(static_cast<double>(x[i]));
    EXPECT(std::fabs(s[i] - p) <= 4 * 6e-8 * p + 1.2e-38, "sigmoid(%g) = %g on %s", x[i], s[i], isa);
    EXPECT(std::fabs(t[i] - q) <= 4 * 6e-8 * std::fabs(q), "tanh(%g) = %g on %s", x[i], t[i], isa);
  }
  const float special[] = {INFINITY, -INFINITY, NAN, 0.0f, 1e30f, -1e30f};
  float a[6], b[6];
  kernels.sigmoid(special, a, 6);
  kernels.tanh(special, b, 6);
  EXPECT(a[0] == 1 && a[1] == 0 && std::isnan(a[2]) && a[3] == 0.5f && a[4] == 1 && a[5] == 0, "sigmoid's limits on %s", isa);
  EXPECT(b[0] == 1 && b[1] == -1 && std::isnan(b[2]) && b[3] == 0 && b[4] == 1 && b[5] == -1, "tanh's limits on %s", isa);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t wanted = shapes(argc, argv, 2000);
  const std::vector<Isa> sets = isas();
  ThreadPool one(1), two(2), four(4);
  Random random(3);
  for (Isa isa : sets) {
    select_isa(isa);
    test_activations(isa_name(isa));
  }
  for (int64_t number = 0; number < wanted; ++number) {
    const Case k = draw(random, number);
    const Inputs in(k, random);
    const Reference r = reference(k, in);
    for (Isa isa : sets) {
      select_isa(isa);
      const Results alone(k, in, one);
      EXPECT(alone.done, "memory");
      check(k, alone, r, isa_name(isa));
      if (number % 4 == 0 || k.run.batch > 9) {
        const Results both(k, in, two), many(k, in, four);
        EXPECT(same_bits(alone, both, k.gru) && same_bits(alone, many, k.gru), "bits differ between threads on %s", isa_name(isa));
      }
    }
  }
  return finish("recurrent", wanted);
}
