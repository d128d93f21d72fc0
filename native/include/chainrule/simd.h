// Vectors of floats for the instruction set a kernel file is compiled for. GCC and Clang turn them into its registers.
//
// Everything here lives in the namespace of the instruction set, so that the linker never mixes two of them; kernel
// files use no inline functions of the standard library for the same reason.
#pragma once

#include <cstdint>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#ifndef CHAINRULE_ISA
#error "kernel files are compiled once per instruction set, see CMakeLists.txt"
#endif

namespace chainrule::CHAINRULE_ISA {

constexpr int64_t kWidth = CHAINRULE_WIDTH;          // floats in a vector
constexpr int64_t kRegisters = CHAINRULE_REGISTERS;  // vector registers

typedef float Vec __attribute__((vector_size(CHAINRULE_WIDTH * 4)));
typedef float VecUnaligned __attribute__((vector_size(CHAINRULE_WIDTH * 4), aligned(4), may_alias));
typedef int32_t VecInt __attribute__((vector_size(CHAINRULE_WIDTH * 4)));

inline __attribute__((always_inline)) Vec load(const float* p) { return *reinterpret_cast<const VecUnaligned*>(p); }
inline __attribute__((always_inline)) void store(float* p, Vec v) { *reinterpret_cast<VecUnaligned*>(p) = v; }
inline __attribute__((always_inline)) Vec broadcast(float x) { return x - Vec{}; }  // x - 0: keeps -0, folds to one instruction
inline __attribute__((always_inline)) Vec larger(Vec a, Vec b) { return a > b ? a : b; }

// The first `count` floats, zeros after them; reads nothing beyond.
inline __attribute__((always_inline)) Vec load_part(const float* p, int64_t count) {
  Vec v{};
  for (int64_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
}
inline __attribute__((always_inline)) void store_part(float* p, Vec v, int64_t count) {
  for (int64_t i = 0; i < count; ++i) p[i] = v[i];
}

// Bytes as numbers and back (the lowest byte of each). GCC 12 takes vectors of bytes apart lane by lane, so x86 has it
// in its own words.
#if CHAINRULE_WIDTH == 16 && defined(__AVX512F__)
inline __attribute__((always_inline)) VecInt load_bytes(const uint8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return reinterpret_cast<VecInt>(_mm512_maskz_cvtepu8_epi32(0xFFFF, bytes));
}
inline __attribute__((always_inline)) void store_bytes(uint8_t* p, VecInt v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_maskz_cvtepi32_epi8(0xFFFF, reinterpret_cast<__m512i>(v)));
}
#elif CHAINRULE_WIDTH == 8 && defined(__AVX2__)
inline __attribute__((always_inline)) VecInt load_bytes(const uint8_t* p) {
  return reinterpret_cast<VecInt>(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
inline __attribute__((always_inline)) void store_bytes(uint8_t* p, VecInt v) {
  const __m256i all = reinterpret_cast<__m256i>(v & 255);
  const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words, words));
}
#else
typedef uint8_t Bytes __attribute__((vector_size(CHAINRULE_WIDTH), aligned(1), may_alias));
inline __attribute__((always_inline)) VecInt load_bytes(const uint8_t* p) {
  return __builtin_convertvector(*reinterpret_cast<const Bytes*>(p), VecInt);
}
inline __attribute__((always_inline)) void store_bytes(uint8_t* p, VecInt v) {
  *reinterpret_cast<Bytes*>(p) = __builtin_convertvector(v, Bytes);
}
#endif

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

}  // namespace chainrule::CHAINRULE_ISA
