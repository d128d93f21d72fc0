// Convolutions against sums in double precision: random shapes with empty, single and prime sizes, strides wider than
// the window, dilation, groups and padding; edges guarded; the same bits with one, two and four threads.
#include "harness.h"
#include <string>
#include <utility>

#include "kernels/conv.h"

using namespace chainrule;
using namespace chainrule::testing;

namespace {

constexpr double kForward = 1e-5, kGradient = 5e-5;  // relative to the largest magnitude of the result

// Calls visit(position in x, in kernel, in y) for every product of the convolution.
template <class Visit>
void for_each_product(const ConvSizes& s, Visit visit) {
  const int64_t cg = s.c / s.groups, fg = s.f / s.groups;
  for (int64_t n = 0; n < s.n; ++n)
    for (int64_t i = 0; i < s.oh; ++i)
      for (int64_t j = 0; j < s.ow; ++j)
        for (int64_t a = 0; a < s.kh; ++a)
          for (int64_t b = 0; b < s.kw; ++b) {
            const int64_t row = i * s.stride_h + a * s.dilation_h - s.pad_h;
            const int64_t col = j * s.stride_w + b * s.dilation_w - s.pad_w;
            if (row < 0 || row >= s.h || col < 0 || col >= s.w) continue;
            for (int64_t c = 0; c < cg; ++c)
              for (int64_t f = 0; f < s.f; ++f)
                visit(((n * s.h + row) * s.w + col) * s.c + f / fg * cg + c, ((a * s.kw + b) * cg + c) * s.f + f,
                      ((n * s.oh + i) * s.ow + j) * s.f + f);
          }
}

struct Arrays {
  Guarded x, kernel, bias, y, dy, dx, dkernel, shift;
  Arrays(const ConvSizes& s, Guarded::Edge edge)
      : x(s.n * s.h * s.w * s.c, edge),
        kernel(s.kh * s.kw * (s.c / s.groups) * s.f, edge),
        bias(s.f, edge),
        y(s.n * s.oh * s.ow * s.f, edge),
        dy(y.size(), edge),
        dx(x.size(), edge),
        dkernel(kernel.size(), edge),
        shift(s.c, edge) {}
};

// Runs all products; a result of another number of threads must have the bits of the first.
void run(Pool& pool, Arrays& a, const ConvSizes& s, bool relu, bool biased, bool precise) {
  const ConvTable& table = current_conv();
  const float* bias = biased ? a.bias.data() : nullptr;
  EXPECT(table.forward(pool, a.x.data(), a.kernel.data(), bias, a.y.data(), s, relu, precise), "no memory");
  EXPECT(table.input_gradient(pool, a.dy.data(), a.kernel.data(), biased ? a.shift.data() : nullptr, a.dx.data(), s,
                              precise),
         "no memory");
  EXPECT(table.kernel_gradient(pool, a.x.data(), a.dy.data(), a.dkernel.data(), s, precise), "no memory");
}

std::string text(const ConvSizes& s) {
  char line[256];
  std::snprintf(line, sizeof line,
                "%s x [%d %d %d %d] kernel [%d %d] %d filters -> %d %d, stride %d %d pad %d %d dilation %d %d "
                "groups %d",
                isa_name(current_isa()), int(s.n), int(s.h), int(s.w), int(s.c), int(s.kh), int(s.kw), int(s.f),
                int(s.oh), int(s.ow), int(s.stride_h), int(s.stride_w), int(s.pad_h), int(s.pad_w), int(s.dilation_h),
                int(s.dilation_w), int(s.groups));
  return line;
}

void check(const Arrays& a, const ConvSizes& s, bool relu, bool biased) {
  std::vector<double> y(static_cast<size_t>(a.y.size())), dx(static_cast<size_t>(a.dx.size())),
      dkernel(static_cast<size_t>(a.dkernel.size()));
  for (int64_t i = 0; biased && i < a.y.size(); ++i) y[i] = a.bias[i % s.f];
  for (int64_t i = 0; biased && i < a.dx.size(); ++i) dx[i] = a.shift[i % s.c];
  for_each_product(s, [&](int64_t in, int64_t weight, int64_t out) {
    y[out] += static_cast<double>(a.x[in]) * a.kernel[weight];
    dx[in] += static_cast<double>(a.dy[out]) * a.kernel[weight];
    dkernel[weight] += static_cast<double>(a.dy[out]) * a.x[in];
  });
  for (double& value : y)
    if (relu && value < 0) value = 0;
  const double forward = relative_error(a.y, y, a.y.size()), by_x = relative_error(a.dx, dx, a.dx.size()),
               by_kernel = relative_error(a.dkernel, dkernel, a.dkernel.size());
  EXPECT(forward <= kForward, "%g at %s", forward, text(s).c_str());
  EXPECT(by_x <= kGradient, "%g at %s", by_x, text(s).c_str());
  EXPECT(by_kernel <= kGradient, "%g at %s", by_kernel, text(s).c_str());
}

bool same(const Guarded& a, const Guarded& b) {
  return std::memcmp(a.data(), b.data(), static_cast<size_t>(a.size()) * sizeof(float)) == 0;
}

void test(const ConvSizes& s, Random& random, Pool* const* pools) {
  const Guarded::Edge edge = random.between(0, 1) ? Guarded::Edge::end : Guarded::Edge::start;
  const bool relu = random.between(0, 1), biased = random.between(0, 1), precise = random.between(0, 1);
  Arrays first(s, edge), again(s, edge);
  random.fill(first.x, first.x.size());
  random.fill(first.kernel, first.kernel.size());
  random.fill(first.bias, first.bias.size());
  random.fill(first.dy, first.dy.size());
  random.fill(first.shift, first.shift.size());
  for (Isa isa : isas()) {
    select_isa(isa);
    run(*pools[0], first, s, relu, biased, precise);
    check(first, s, relu, biased);
    for (int more = 1; more < 3; ++more) {
      for (auto [to, from] : {std::pair{&again.x, &first.x}, {&again.kernel, &first.kernel}, {&again.bias, &first.bias},
                              {&again.dy, &first.dy}, {&again.shift, &first.shift}})
        std::memcpy(to->data(), from->data(), static_cast<size_t>(to->size()) * sizeof(float));
      run(*pools[more], again, s, relu, biased, precise);
      EXPECT(same(first.y, again.y) && same(first.dx, again.dx) && same(first.dkernel, again.dkernel),
             "bits depend on threads at %s", text(s).c_str());
    }
  }
}

int64_t windows(int64_t size, int64_t window, int64_t stride, int64_t low, int64_t high, int64_t dilation) {
  const int64_t room = size + low + high - dilation * (window - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

// Sizes of one axis: often 1, seldom 0.
int64_t size(Random& random, int64_t most) {
  const int64_t kind = random.between(0, 15);
  return kind == 0 ? 0 : kind < 3 ? 1 : random.between(1, most);
}

ConvSizes draw(Random& random) {
  ConvSizes s{};
  do {
    s.n = size(random, 5);
    s.h = size(random, 20);
    s.w = size(random, 40);
    s.kh = random.between(0, 40) ? random.between(1, random.between(1, 7)) : 0;
    s.kw = random.between(1, random.between(1, 7));
    s.groups = random.between(0, 2) ? 1 : random.between(1, 5);
    s.c = s.groups * size(random, random.between(0, 1) ? 8 : 40);
    s.f = s.groups * size(random, random.between(0, 1) ? 8 : 70);
    s.stride_h = random.between(1, random.between(1, 9));
    s.stride_w = random.between(0, 2) ? s.stride_h : random.between(1, 4);
    s.dilation_h = random.between(0, 1) ? 1 : random.between(1, 3);
    s.dilation_w = random.between(0, 1) ? s.dilation_h : random.between(1, 3);
    s.pad_h = random.between(0, 1) ? 0 : random.between(0, 4);
    s.pad_w = random.between(0, 1) ? s.pad_h : random.between(0, 4);
    s.oh = windows(s.h, s.kh, s.stride_h, s.pad_h, random.between(0, 4), s.dilation_h);
    s.ow = windows(s.w, s.kw, s.stride_w, s.pad_w, random.between(0, 4), s.dilation_w);
  } while (s.n * s.oh * s.ow * s.kh * s.kw * (s.c / s.groups) * s.f > 400000);
  return s;
}

// Shapes that random ones reach seldom: many blocks, many products, wide rows, two parts of the weights.
void test_chosen(Random& random, Pool* const* pools) {
  const ConvSizes chosen[] = {
      {3, 17, 19, 5, 3, 3, 11, 17, 19, 1, 1, 1, 1, 1, 1, 1},    {1, 1, 1500, 3, 1, 9, 5, 1, 1492, 1, 1, 0, 0, 1, 1, 1},
      {2, 3, 4, 530, 2, 2, 18, 2, 3, 1, 1, 0, 0, 1, 1, 1},      {1, 5, 5, 520, 3, 3, 9, 3, 3, 2, 2, 1, 1, 1, 1, 1},
      {130, 8, 8, 3, 3, 3, 16, 4, 4, 2, 2, 0, 0, 1, 1, 1},      {40, 7, 7, 24, 1, 1, 40, 7, 7, 1, 1, 0, 0, 1, 1, 1},
      {2, 9, 9, 2100, 1, 1, 3, 9, 9, 1, 1, 0, 0, 1, 1, 1},      {1, 4, 4, 8, 3, 3, 200, 2, 2, 1, 1, 0, 0, 1, 1, 1},
      {3, 8, 8, 40, 2, 2, 24, 4, 4, 2, 2, 0, 0, 1, 1, 1},       {9, 14, 14, 16, 3, 3, 32, 7, 7, 2, 2, 0, 0, 1, 1, 1},
  };
  for (const ConvSizes& s : chosen) test(s, random, pools);
}

void test_relu_gradient(Random& random, Pool* const* pools) {
  for (int64_t rows : {0, 1, 3, 64, 129, 1000, 5003})
    for (int64_t columns : {0, 1, 2, 7, 8, 10, 16, 33}) {
      Guarded dy(rows * columns), y(rows * columns), g(rows * columns), again(rows * columns), sums(columns),
          sums_again(columns), plain(columns);
      random.fill(dy, dy.size());
      random.fill(y, y.size());
      std::vector<double> wanted(static_cast<size_t>(columns)), unmasked(static_cast<size_t>(columns));
      for (int64_t i = 0; i < dy.size(); ++i) {
        wanted[i % columns] += y[i] > 0 ? dy[i] : 0;
        unmasked[i % columns] += dy[i];
      }
      for (Isa isa : isas()) {
        select_isa(isa);
        const auto call = current_conv().relu_gradient;
        EXPECT(call(*pools[0], dy.data(), y.data(), g.data(), sums.data(), rows, columns), "no memory");
        EXPECT(call(*pools[2], dy.data(), y.data(), again.data(), sums_again.data(), rows, columns), "no memory");
        EXPECT(call(*pools[1], dy.data(), nullptr, nullptr, plain.data(), rows, columns), "no memory");
        for (int64_t i = 0; i < g.size(); ++i) EXPECT(g[i] == (y[i] > 0 ? dy[i] : 0), "mask at %d", int(i));
        EXPECT(relative_error(sums, wanted, columns) <= kGradient, "sums of %d x %d", int(rows), int(columns));
        EXPECT(relative_error(plain, unmasked, columns) <= kGradient, "sums of %d x %d", int(rows), int(columns));
        EXPECT(same(g, again) && same(sums, sums_again), "bits depend on threads at %d x %d", int(rows), int(columns));
      }
    }
}

void test_relu_keeps_nan(Pool& pool) {
  const ConvSizes s{1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 0, 0, 1, 1, 1};
  const float x[] = {NAN, -1}, kernel[] = {1};
  for (Isa isa : isas()) {
    select_isa(isa);
    float y[] = {5, 5};
    current_conv().forward(pool, x, kernel, nullptr, y, s, true, true);
    EXPECT(std::isnan(y[0]) && y[1] == 0, "%g %g", y[0], y[1]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t tried = shapes(argc, argv, 2000);
  ThreadPool one(1), two(2), four(4);
  Pool* const pools[] = {&one, &two, &four};
  Random random(3);
  test_chosen(random, pools);
  test_relu_gradient(random, pools);
  test_relu_keeps_nan(one);
  for (int64_t i = 0; i < tried; ++i) test(draw(random), random, pools);
  return finish("conv", tried);
}
