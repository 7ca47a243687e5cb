// Several registers that go through the same operations side by side.
//
// A processor looks a few hundred instructions ahead: a chain of them as long as a sigmoid's, four
// times in a row, is about as far as it sees. Written side by side, all links of four or six chains
// that can be computed at a time are within its sight.
#pragma once

namespace onecell::ONECELL_ISA {

template <class T, int Count>
struct Several {
  using L = Lanes<T>;
  L each[Count];

  // f(0), f(1), ..., one a register.
  template <class F>
  ONECELL_INLINED static Several make(const F& f) {
    Several made;
    unrolled<Count>([&](auto i) ONECELL_INLINED { made.each[i] = f(i); });
    return made;
  }
  ONECELL_INLINED static Several broadcast(T a) {
    return make([a](auto) ONECELL_INLINED { return L::broadcast(a); });
  }
  ONECELL_INLINED static Several zero() {
    return make([](auto) ONECELL_INLINED { return L::zero(); });
  }

  ONECELL_INLINED friend Several operator+(const Several& a, const Several& b) {
    return make([&](auto i) ONECELL_INLINED { return a.each[i] + b.each[i]; });
  }
  ONECELL_INLINED friend Several operator-(const Several& a, const Several& b) {
    return make([&](auto i) ONECELL_INLINED { return a.each[i] - b.each[i]; });
  }
  ONECELL_INLINED friend Several operator*(const Several& a, const Several& b) {
    return make([&](auto i) ONECELL_INLINED { return a.each[i] * b.each[i]; });
  }
  ONECELL_INLINED friend Several operator/(const Several& a, const Several& b) {
    return make([&](auto i) ONECELL_INLINED { return a.each[i] / b.each[i]; });
  }
  ONECELL_INLINED static Several fma(const Several& a, const Several& b, const Several& c) {
    return make([&](auto i) ONECELL_INLINED { return L::fma(a.each[i], b.each[i], c.each[i]); });
  }
  ONECELL_INLINED static Several fnma(const Several& a, const Several& b, const Several& c) {
    return make([&](auto i) ONECELL_INLINED { return L::fnma(a.each[i], b.each[i], c.each[i]); });
  }
  ONECELL_INLINED static Several at_least(const Several& limit, const Several& y) {
    return make([&](auto i) ONECELL_INLINED { return L::at_least(limit.each[i], y.each[i]); });
  }
  ONECELL_INLINED static Several at_most(const Several& limit, const Several& y) {
    return make([&](auto i) ONECELL_INLINED { return L::at_most(limit.each[i], y.each[i]); });
  }
  ONECELL_INLINED static Several abs(const Several& a) {
    return make([&](auto i) ONECELL_INLINED { return L::abs(a.each[i]); });
  }
  ONECELL_INLINED static Several copy_sign(const Several& magnitude, const Several& sign) {
    return make([&](auto i)
                    ONECELL_INLINED { return L::copy_sign(magnitude.each[i], sign.each[i]); });
  }
  ONECELL_INLINED static Several power_of_two(const Several& shifted) {
    return make([&](auto i) ONECELL_INLINED { return L::power_of_two(shifted.each[i]); });
  }
};

}  // namespace onecell::ONECELL_ISA
