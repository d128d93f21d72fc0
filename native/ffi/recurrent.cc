#include "kernels/recurrent.h"

#include "ffi/xla.h"

namespace chainrule {
namespace {

using Floats = ffi::Buffer<ffi::F32>;
using Flags = ffi::Buffer<ffi::PRED>;
using FloatsOut = ffi::Result<Floats>;
using Sizes = ffi::Span<const int64_t>;

// Whether an array has just these sizes.
template <class... Numbers>
bool is(Sizes found, Numbers... sizes) {
  const int64_t wanted[] = {sizes...};
  if (found.size() != sizeof...(sizes)) return false;
  for (size_t i = 0; i < found.size(); ++i)
    if (found[i] != wanted[i]) return false;
  return true;
}

// What all handlers have in common: sizes from an array [batch, time, features] and one [batch, time, units], a mask
// and a dropout, of which [0, 0] stands for none.
ffi::Error start(const char* who, Sizes x, Sizes outputs, bool reverse, Flags mask, Floats dropout, Recurrence* run) {
  if (x.size() != 3 || outputs.size() != 3) return invalid("%s: inputs and outputs must have 3 axes", who);
  const int64_t batch = outputs[0], time = outputs[1], units = outputs[2], features = x[2];
  if (x[0] != batch || x[1] != time) return invalid("%s: inputs and outputs must have equal batch and time", who);
  if (units < 1) return invalid("%s: there must be at least one unit", who);
  if (!fits(Size(batch) * time * units * 4) || !fits(Size(batch) * time * features) ||
      !fits((Size(features) + units) * units * 4) || !fits(Size(batch) * units * 4))
    return invalid("%s: sizes overflow", who);
  if (!is(mask.dimensions(), batch, time) && !is(mask.dimensions(), int64_t{0}, int64_t{0}))
    return invalid("%s: the mask must be [batch, time] or [0, 0]", who);
  if (!is(dropout.dimensions(), batch, units) && !is(dropout.dimensions(), int64_t{0}, int64_t{0}))
    return invalid("%s: the dropout must be [batch, units] or [0, 0]", who);
  *run = {batch, time, features, units, reverse, mask.element_count() > 0 ? mask.typed_data() : nullptr,
          dropout.element_count() > 0 ? dropout.typed_data() : nullptr};
  return ffi::Error::Success();
}

ffi::Error check_states(const char* who, const Recurrence& run, std::initializer_list<Sizes> states) {
  for (const Sizes& state : states)
    if (!is(state, run.batch, run.units)) return invalid("%s: states must be [batch, units]", who);
  return ffi::Error::Success();
}

ffi::Error check_weights(const char* who, const Recurrence& run, int64_t gates, Sizes kernel, Sizes recurrent) {
  if (!is(kernel, run.features, gates * run.units)) return invalid("%s: the kernel must be [features, gates * units]", who);
  if (!is(recurrent, run.units, gates * run.units))
    return invalid("%s: the recurrent kernel must be [units, gates * units]", who);
  return ffi::Error::Success();
}

// What forward keeps: everything or, in arrays without elements, nothing.
ffi::Error check_kept(const char* who, const Recurrence& run, bool keep, Sizes gates) {
  if (keep ? !is(gates, run.time, run.batch, 4 * run.units) : !is(gates, int64_t{0}, int64_t{0}, int64_t{0}))
    return invalid("%s: the gates must be [time, batch, 4 * units], or [0, 0, 0] where they are not kept", who);
  return ffi::Error::Success();
}

ffi::Error check_cells(const char* who, const Recurrence& run, bool keep, Sizes cells) {
  if (keep ? !is(cells, run.time, run.batch, run.units) : !is(cells, int64_t{0}, int64_t{0}, int64_t{0}))
    return invalid("%s: the cells must be [time, batch, units], or [0, 0, 0] where they are not kept", who);
  return ffi::Error::Success();
}

ffi::Error check_back(const char* who, const Recurrence& run, int64_t gates, Sizes recurrent, Sizes d_gates,
                      Sizes d_dropout) {
  if (!is(recurrent, run.units, gates * run.units))
    return invalid("%s: the recurrent kernel must be [units, gates * units]", who);
  if (!is(d_gates, run.time, run.batch, 4 * run.units)) return invalid("%s: the gates must be [time, batch, 4 * units]", who);
  if (run.dropout != nullptr ? !is(d_dropout, run.batch, run.units) : !is(d_dropout, int64_t{0}, int64_t{0}))
    return invalid("%s: the dropout's gradient must have the dropout's size", who);
  return ffi::Error::Success();
}

#define CHAINRULE_CHECK(call) \
  if (ffi::Error e = (call); e.failure()) return e

ffi::Error lstm(ffi::ThreadPool threads, bool reverse, bool keep, Floats x, Floats kernel, Floats recurrent, Floats bias,
                Floats h0, Floats c0, Flags mask, Floats dropout, FloatsOut outputs, FloatsOut h, FloatsOut c,
                FloatsOut gates, FloatsOut cells) {
  const char* const who = "lstm";
  RecurrentForward f{};
  CHAINRULE_CHECK(start(who, x.dimensions(), outputs->dimensions(), reverse, mask, dropout, &f.run));
  CHAINRULE_CHECK(check_weights(who, f.run, 4, kernel.dimensions(), recurrent.dimensions()));
  CHAINRULE_CHECK(
      check_states(who, f.run, {h0.dimensions(), c0.dimensions(), h->dimensions(), c->dimensions()}));
  CHAINRULE_CHECK(check_kept(who, f.run, keep, gates->dimensions()));
  CHAINRULE_CHECK(check_cells(who, f.run, keep, cells->dimensions()));
  if (!is(bias.dimensions(), 4 * f.run.units)) return invalid("%s: the bias must be [4 * units]", who);
  f.x = x.typed_data(), f.kernel = kernel.typed_data(), f.recurrent = recurrent.typed_data();
  f.bias = bias.typed_data(), f.h0 = h0.typed_data(), f.c0 = c0.typed_data();
  f.outputs = outputs->typed_data(), f.h = h->typed_data(), f.c = c->typed_data();
  if (keep) f.gates = gates->typed_data(), f.cells = cells->typed_data();
  XlaPool pool(threads);
  return current_recurrent_kernels().lstm_forward(pool, f) ? ffi::Error::Success() : out_of_memory(who);
}

ffi::Error gru(ffi::ThreadPool threads, bool reverse, bool keep, Floats x, Floats kernel, Floats recurrent, Floats bias,
               Floats h0, Flags mask, Floats dropout, FloatsOut outputs, FloatsOut h, FloatsOut gates) {
  const char* const who = "gru";
  RecurrentForward f{};
  CHAINRULE_CHECK(start(who, x.dimensions(), outputs->dimensions(), reverse, mask, dropout, &f.run));
  CHAINRULE_CHECK(check_weights(who, f.run, 3, kernel.dimensions(), recurrent.dimensions()));
  CHAINRULE_CHECK(check_states(who, f.run, {h0.dimensions(), h->dimensions()}));
  CHAINRULE_CHECK(check_kept(who, f.run, keep, gates->dimensions()));
  if (!is(bias.dimensions(), int64_t{2}, 3 * f.run.units)) return invalid("%s: the bias must be [2, 3 * units]", who);
  f.x = x.typed_data(), f.kernel = kernel.typed_data(), f.recurrent = recurrent.typed_data();
  f.bias = bias.typed_data(), f.h0 = h0.typed_data();
  f.outputs = outputs->typed_data(), f.h = h->typed_data();
  if (keep) f.gates = gates->typed_data();
  XlaPool pool(threads);
  return current_recurrent_kernels().gru_forward(pool, f) ? ffi::Error::Success() : out_of_memory(who);
}

ffi::Error lstm_gradient(ffi::ThreadPool threads, bool reverse, Floats recurrent, Floats h0, Floats c0, Flags mask,
                         Floats dropout, Floats outputs, Floats gates, Floats cells, Floats d_outputs, Floats d_h,
                         Floats d_c, FloatsOut d_gates, FloatsOut d_h0, FloatsOut d_c0, FloatsOut d_dropout) {
  const char* const who = "lstm_gradient";
  RecurrentBackward b{};
  CHAINRULE_CHECK(start(who, d_outputs.dimensions(), outputs.dimensions(), reverse, mask, dropout, &b.run));
  CHAINRULE_CHECK(check_back(who, b.run, 4, recurrent.dimensions(), d_gates->dimensions(), d_dropout->dimensions()));
  CHAINRULE_CHECK(check_states(who, b.run,
                               {h0.dimensions(), c0.dimensions(), d_h.dimensions(), d_c.dimensions(),
                                d_h0->dimensions(), d_c0->dimensions()}));
  CHAINRULE_CHECK(check_kept(who, b.run, true, gates.dimensions()));
  CHAINRULE_CHECK(check_cells(who, b.run, true, cells.dimensions()));
  if (!same_shape(d_outputs.dimensions(), outputs.dimensions()))
    return invalid("%s: the outputs and their gradient must have equal sizes", who);
  b.recurrent = recurrent.typed_data(), b.h0 = h0.typed_data(), b.c0 = c0.typed_data();
  b.outputs = outputs.typed_data(), b.gates = gates.typed_data(), b.cells = cells.typed_data();
  b.d_outputs = d_outputs.typed_data(), b.d_h = d_h.typed_data(), b.d_c = d_c.typed_data();
  b.d_gates = d_gates->typed_data(), b.d_h0 = d_h0->typed_data(), b.d_c0 = d_c0->typed_data();
  b.d_dropout = d_dropout->typed_data();
  XlaPool pool(threads);
  return current_recurrent_kernels().lstm_backward(pool, b) ? ffi::Error::Success() : out_of_memory(who);
}

ffi::Error gru_gradient(ffi::ThreadPool threads, bool reverse, Floats recurrent, Floats h0, Flags mask, Floats dropout,
                        Floats outputs, Floats gates, Floats d_outputs, Floats d_h, FloatsOut d_gates, FloatsOut d_h0,
                        FloatsOut d_dropout) {
  const char* const who = "gru_gradient";
  RecurrentBackward b{};
  CHAINRULE_CHECK(start(who, d_outputs.dimensions(), outputs.dimensions(), reverse, mask, dropout, &b.run));
  CHAINRULE_CHECK(check_back(who, b.run, 3, recurrent.dimensions(), d_gates->dimensions(), d_dropout->dimensions()));
  CHAINRULE_CHECK(check_states(who, b.run, {h0.dimensions(), d_h.dimensions(), d_h0->dimensions()}));
  CHAINRULE_CHECK(check_kept(who, b.run, true, gates.dimensions()));
  if (!same_shape(d_outputs.dimensions(), outputs.dimensions()))
    return invalid("%s: the outputs and their gradient must have equal sizes", who);
  b.recurrent = recurrent.typed_data(), b.h0 = h0.typed_data();
  b.outputs = outputs.typed_data(), b.gates = gates.typed_data();
  b.d_outputs = d_outputs.typed_data(), b.d_h = d_h.typed_data();
  b.d_gates = d_gates->typed_data(), b.d_h0 = d_h0->typed_data(), b.d_dropout = d_dropout->typed_data();
  XlaPool pool(threads);
  return current_recurrent_kernels().gru_backward(pool, b) ? ffi::Error::Success() : out_of_memory(who);
}

// Gradients of the weights from those of the gates' sums.
ffi::Error prepare_weights(const char* who, bool reverse, int64_t gates, Floats x, Floats h0, Floats outputs, Flags mask,
                           Floats dropout, Floats d_gates, FloatsOut d_kernel, FloatsOut d_recurrent,
                           RecurrentWeights* w) {
  CHAINRULE_CHECK(start(who, x.dimensions(), outputs.dimensions(), reverse, mask, dropout, &w->run));
  CHAINRULE_CHECK(check_weights(who, w->run, gates, d_kernel->dimensions(), d_recurrent->dimensions()));
  CHAINRULE_CHECK(check_states(who, w->run, {h0.dimensions()}));
  CHAINRULE_CHECK(check_kept(who, w->run, true, d_gates.dimensions()));
  w->x = x.typed_data(), w->h0 = h0.typed_data(), w->outputs = outputs.typed_data(), w->d_gates = d_gates.typed_data();
  w->columns = gates * w->run.units, w->jump_at = w->columns;
  return ffi::Error::Success();
}

ffi::Error lstm_weights(ffi::ThreadPool threads, bool reverse, Floats x, Floats h0, Floats outputs, Flags mask,
                        Floats dropout, Floats d_gates, FloatsOut d_kernel, FloatsOut d_recurrent, FloatsOut d_bias) {
  const char* const who = "lstm_weights";
  RecurrentWeights w{};
  CHAINRULE_CHECK(prepare_weights(who, reverse, 4, x, h0, outputs, mask, dropout, d_gates, d_kernel, d_recurrent, &w));
  if (!is(d_bias->dimensions(), w.columns)) return invalid("%s: the bias must be [4 * units]", who);
  w.d_kernel = d_kernel->typed_data(), w.d_recurrent = d_recurrent->typed_data(), w.d_bias = d_bias->typed_data();
  XlaPool pool(threads);
  return current_recurrent_kernels().weights(pool, w) ? ffi::Error::Success() : out_of_memory(who);
}

// Two products: x meets the candidate's gradient before, the state the one after the reset gate has multiplied it.
ffi::Error gru_weights(ffi::ThreadPool threads, bool reverse, Floats x, Floats h0, Floats outputs, Flags mask,
                       Floats dropout, Floats d_gates, FloatsOut d_kernel, FloatsOut d_recurrent, FloatsOut d_bias) {
  const char* const who = "gru_weights";
  RecurrentWeights w{};
  CHAINRULE_CHECK(prepare_weights(who, reverse, 3, x, h0, outputs, mask, dropout, d_gates, d_kernel, d_recurrent, &w));
  if (!is(d_bias->dimensions(), int64_t{2}, w.columns)) return invalid("%s: the bias must be [2, 3 * units]", who);
  XlaPool pool(threads);
  w.d_kernel = d_kernel->typed_data(), w.d_bias = d_bias->typed_data();
  if (!current_recurrent_kernels().weights(pool, w)) return out_of_memory(who);
  w.d_kernel = nullptr, w.d_recurrent = d_recurrent->typed_data(), w.d_bias = d_bias->typed_data() + w.columns;
  w.jump_at = 2 * w.run.units, w.jump = w.run.units;
  return current_recurrent_kernels().weights(pool, w) ? ffi::Error::Success() : out_of_memory(who);
}

auto binding() { return ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Attr<bool>("reverse"); }

// The arguments and results that the weights' handlers share.
auto weights_binding() {
  return binding().Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Flags>().Arg<Floats>().Arg<Floats>().Ret<Floats>()
      .Ret<Floats>().Ret<Floats>();
}

}  // namespace
}  // namespace chainrule

using namespace chainrule;  // NOLINT: the macro needs unqualified names

CHAINRULE_HANDLER(chainrule_lstm, lstm,
                  binding().Attr<bool>("keep").Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Floats>()
                      .Arg<Floats>().Arg<Flags>().Arg<Floats>().Ret<Floats>().Ret<Floats>().Ret<Floats>().Ret<Floats>()
                      .Ret<Floats>());
CHAINRULE_HANDLER(chainrule_gru, gru,
                  binding().Attr<bool>("keep").Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Floats>()
                      .Arg<Flags>().Arg<Floats>().Ret<Floats>().Ret<Floats>().Ret<Floats>());
CHAINRULE_HANDLER(chainrule_lstm_gradient, lstm_gradient,
                  binding().Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Flags>().Arg<Floats>().Arg<Floats>()
                      .Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Floats>().Ret<Floats>().Ret<Floats>()
                      .Ret<Floats>().Ret<Floats>());
CHAINRULE_HANDLER(chainrule_gru_gradient, gru_gradient,
                  binding().Arg<Floats>().Arg<Floats>().Arg<Flags>().Arg<Floats>().Arg<Floats>().Arg<Floats>()
                      .Arg<Floats>().Arg<Floats>().Ret<Floats>().Ret<Floats>().Ret<Floats>());
CHAINRULE_HANDLER(chainrule_lstm_weights, lstm_weights, weights_binding());
CHAINRULE_HANDLER(chainrule_gru_weights, gru_weights, weights_binding());
