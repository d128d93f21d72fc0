#include "kernels/recurrent.h"

#include "kernels/recurrent_backward.h"
#include "kernels/recurrent_forward.h"
#include "kernels/recurrent_weights.h"

namespace chainrule::CHAINRULE_ISA {
namespace recurrent {
namespace {

template <Vec (*function)(Vec)>
void each(const float* x, float* y, int64_t count) {
  for (int64_t i = 0; i < count; i += kWidth) {
    const int64_t here = smaller(kWidth, count - i);
    store_first(y + i, function(load_first(x + i, here)), here);
  }
}

}  // namespace
}  // namespace recurrent

extern const RecurrentKernels recurrent_kernels = {
    recurrent::forward<recurrent::Lstm>, recurrent::backward<recurrent::Lstm>,
    recurrent::forward<recurrent::Gru>,  recurrent::backward<recurrent::Gru>,
    recurrent::weight_gradients,         recurrent::each<recurrent::sigmoid>,
    recurrent::each<recurrent::tanh>,
};

}  // namespace chainrule::CHAINRULE_ISA
