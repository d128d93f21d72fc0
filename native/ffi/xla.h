// What every handler needs: XLA's pool as ours, refusals in one phrasing.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <string>

#include "chainrule/checked.h"
#include "chainrule/library.h"
#include "chainrule/pool.h"
#include "xla/ffi/api/ffi.h"

namespace chainrule {

namespace ffi = xla::ffi;

class XlaPool final : public Pool {
 public:
  explicit XlaPool(ffi::ThreadPool pool) : pool_(pool), workers_(pool.num_threads()) {}
  int64_t workers() const override { return workers_ > 1 ? workers_ - 1 : 0; }  // the caller works too
  void schedule(void (*task)(void*), void* data) noexcept override {
    pool_.Schedule([task, data] { task(data); });
  }

 private:
  ffi::ThreadPool pool_;
  int64_t workers_;
};

__attribute__((format(printf, 1, 2))) inline ffi::Error invalid(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return ffi::Error(ffi::ErrorCode::kInvalidArgument, text);
}

inline ffi::Error out_of_memory(const char* who) {
  return ffi::Error(ffi::ErrorCode::kResourceExhausted, std::string(who) + ": no memory for its scratch");
}

template <class A, class B>
bool same_shape(const A& a, const B& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i]) return false;
  return true;
}

}  // namespace chainrule

// Defines and exports the handler `name` for `implementation`, bound as `binding`.
#define CHAINRULE_HANDLER(name, implementation, ...)                       \
  extern "C" CHAINRULE_EXPORT XLA_FFI_Error* name(XLA_FFI_CallFrame* frame); \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(name, implementation, __VA_ARGS__)
