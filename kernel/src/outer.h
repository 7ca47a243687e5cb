// Backward products in register tiles: outputs are sums of scaled rows, in chains of at most kBlock
// terms (rules 3 and 4 of cell.h).
#pragma once

namespace onecell::ONECELL_ISA {

// Factors a(row, p) by rows: data[row * stride + p].
template <class T>
struct ByRows {
  const T* data;
  std::int64_t stride;

  ByRows from(std::int64_t row, std::int64_t p) const { return {data + row * stride + p, stride}; }
  const T* at(int row) const { return data + row * stride; }
  static constexpr int step = 1;  // from p to p + 1
};

// Factors a(row, p) as tiles read them: data[p * kOuterRows + row].
template <class T>
struct Arranged {
  const T* data;

  Arranged from(std::int64_t row, std::int64_t p) const { return {data + p * kOuterRows + row}; }
  const T* at(int row) const { return data + row; }
  static constexpr int step = kOuterRows;
};

// A dense or padded matrix: rows `stride` elements apart.
template <class T>
struct Plane {
  T* data;
  std::int64_t stride;

  Plane from(std::int64_t row, std::int64_t column) const {
    return {data + row * stride + column, stride};
  }
  T* operator[](std::int64_t row) const { return data + row * stride; }
};

// Tile of R rows and V groups of columns, the last of `last` <= L: out[r] (+)= sum over p < depth
// of a(r, p) b[p], one chain from p = 0.
template <int R, int V, class T, class A>
inline void outer_tile(std::int64_t depth, A a, const Plane<const T>& b, int last, bool add,
                       const Plane<T>& out) {
  using L = Lanes<T>;
  L sum[R][V];
  unrolled<R>([&](auto r) ONECELL_INLINED {
    unrolled<V>([&](auto v) ONECELL_INLINED { sum[r][v] = L::zero(); });
  });
  const auto chain = [&](const auto& load_last) ONECELL_INLINED {
    const T* row = b.data;
    const auto term = [&](auto k) ONECELL_INLINED {
      L column[V];
      unrolled<V - 1>([&](auto v) ONECELL_INLINED { column[v] = L::load(row + v * L::size); });
      column[V - 1] = load_last(row + (V - 1) * L::size);
      if constexpr (R > 1) unrolled<V>([&](auto v) ONECELL_INLINED { column[v].settle(); });
      unrolled<R>([&](auto r) ONECELL_INLINED {
        const typename L::Factor factor = L::factor(a.at(r)[k * A::step]);
        unrolled<V>([&](auto v)
                        ONECELL_INLINED { sum[r][v] = L::fma(factor, column[v], sum[r][v]); });
      });
      row += b.stride;
    };
    // Two at a time: what counts and moves pointers takes its turns from the arithmetic.
    using std::integral_constant;
    std::int64_t left = depth;
    for (; left >= 2; left -= 2) {
      term(integral_constant<int, 0>{});
      term(integral_constant<int, 1>{});
      a.data += 2 * A::step;
    }
    if (left == 1) term(integral_constant<int, 0>{});
  };
  if (last == L::size)
    chain([](const T* q) { return L::load(q); });
  else
    chain([last](const T* q) { return L::load_part(q, last); });
  unrolled<R>([&](auto r) ONECELL_INLINED {
    unrolled<V>([&](auto v) ONECELL_INLINED {
      T* const at = out[r] + v * L::size;
      const int n = v == V - 1 ? last : L::size;
      store_some(add ? load_some(at, n) + sum[r][v] : sum[r][v], at, n);
    });
  });
}

// The same for any number of rows, as even tiles.
template <int V, class T, class A>
inline void outer_rows(std::int64_t rows, std::int64_t depth, const A& a, const Plane<const T>& b,
                       int last, bool add, const Plane<T>& out) {
  even_tiles<kOuterRows>(rows, [&](auto count, std::int64_t r) {
    outer_tile<count, V>(depth, a.from(r, 0), b, last, add, out.from(r, 0));
  });
}

// Columns that one panel covers: as many as a tile's.
template <class T>
inline constexpr std::int64_t kPanel = kOuterVectors * Lanes<T>::size;

// The same for `columns` <= kPanel columns.
template <class T, class A>
inline void outer_panel(std::int64_t rows, std::int64_t depth, std::int64_t columns, const A& a,
                        const Plane<const T>& b, bool add, const Plane<T>& out) {
  constexpr int size = Lanes<T>::size;
  if (columns == kPanel<T>) return outer_rows<kOuterVectors>(rows, depth, a, b, size, add, out);
  each_group<T>(columns, [&](std::int64_t j, int n) {
    outer_rows<1>(rows, depth, a, b.from(0, j), n, add, out.from(0, j));
  });
}

// Copy `rows` rows of `columns` columns next to each other.
template <class T>
inline void copy_plane(std::int64_t rows, std::int64_t columns, const Plane<const T>& from,
                       const Plane<T>& to) {
  for (std::int64_t p = 0; p < rows; ++p)
    each_group<T>(columns, [&](std::int64_t j, int n) {
      store_some(load_some(from[p] + j, n), to[p] + j, n);
    });
}

// out (rows, columns) = sum over p < depth of a(row, p) b[p, :], in blocks of kBlock of p.
template <class T>
inline void outer_product(std::int64_t rows, std::int64_t depth, std::int64_t columns,
                          const ByRows<T>& a, const Plane<const T>& b, const Plane<T>& out) {
  // A block of b that many tiles read is copied together: rows a power of two apart would push
  // each other out of the nearest cache.
  const bool copied = rows > 2 * kOuterRows && b.stride > kPanel<T>;
  alignas(64) T together[kBlock * kPanel<T>];
  for (std::int64_t j = 0; j < columns; j += kPanel<T>) {
    const std::int64_t width = std::min(columns - j, kPanel<T>);
    for (std::int64_t p = 0; p < depth; p += kBlock) {
      const std::int64_t block = std::min(depth - p, kBlock);
      Plane<const T> from = b.from(p, j);
      if (copied) {
        copy_plane(block, width, from, Plane<T>{together, kPanel<T>});
        from = {together, kPanel<T>};
      }
      outer_panel(rows, block, width, a.from(0, p), from, p > 0, out.from(0, j));
    }
  }
}

}  // namespace onecell::ONECELL_ISA
