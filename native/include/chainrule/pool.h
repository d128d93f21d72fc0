// Work shared between threads. XLA's pool, or one of plain threads in the C++ tests, stands behind it.
#pragma once

#include <cstdint>

namespace chainrule {

class Pool {
 public:
  virtual ~Pool() = default;
  // Threads that may help the caller.
  virtual int64_t workers() const = 0;
  // Runs task(data) on some thread, some time; never blocks.
  virtual void schedule(void (*task)(void*), void* data) noexcept = 0;
};

// Calls body(context, i) once for every i in [0, count), on the caller's thread and on those of the pool, and returns
// when all calls are done. Work is claimed by an atomic counter, so it is safe on a thread of the pool itself: the
// caller never waits for anything but items that another thread is already working on. Which thread runs an item is
// left open; a result that is to be the same for any number of threads must not depend on it.
void run_items(Pool& pool, int64_t count, void (*body)(void*, int64_t), void* context) noexcept;

// The same for anything callable as body(i).
template <class Body>
inline void parallel_for(Pool& pool, int64_t count, Body&& body) noexcept {
  run_items(pool, count, [](void* context, int64_t i) { (*static_cast<decltype(&body)>(context))(i); }, &body);
}

// Grow-only memory of the calling thread, 64-byte aligned; null when there is none left. `slot` (0 to 7) tells apart
// what one thread needs at the same time. A slot's contents do not survive the next call for the same slot.
void* scratch(int slot, int64_t bytes) noexcept;

}  // namespace chainrule
