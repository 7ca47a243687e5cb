// The C interface: arguments checked, exceptions turned into statuses.
#include "onecell/onecell.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cells_in_files.h"
#include "onecell/cell.h"
#include "onecell/frozen.h"

// The cell is shared: whoever made it may let go of it while streams still run.
struct onecell_cell {
  std::shared_ptr<const onecell::FrozenWeights> weights;
};

struct onecell_stream {
  std::shared_ptr<const onecell::FrozenWeights> weights;
  std::int64_t rows;
  std::unique_ptr<float[]> room;  // h, c and where the next h is computed, (N, H) each
  float *h, *c, *next;
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> integers;  // where a step rounds its rows, if it does

  std::size_t values() const { return static_cast<std::size_t>(rows * weights->hidden_size()); }
  std::size_t bytes() const { return values() * sizeof(float); }
};

namespace {

using onecell::FrozenWeights;
using onecell::Storage;

// Of a size, and of rows and steps: no product overflows.
constexpr std::int64_t kLargest = std::int64_t{1} << 24, kMost = std::int64_t{1} << 30;

thread_local char last_error[256] = "";

onecell_status fail(onecell_status status, const char* what) noexcept {
  const std::size_t length = std::min(std::strlen(what), sizeof last_error - 1);
  std::memcpy(last_error, what, length);
  last_error[length] = '\0';
  return status;
}

template <class F>
onecell_status guarded(const F& f) noexcept {
  try {
    f();
    return ONECELL_OK;
  } catch (const std::bad_alloc&) {
    return fail(ONECELL_NO_MEMORY, "there is not enough memory.");
  } catch (const onecell::NoFile& error) {
    return fail(ONECELL_NO_FILE, error.what());
  } catch (const onecell::BadFile& error) {
    return fail(ONECELL_BAD_FILE, error.what());
  } catch (const std::exception& error) {
    return fail(ONECELL_BAD_ARGUMENT, error.what());
  } catch (...) {
    return fail(ONECELL_BAD_ARGUMENT, "something unknown went wrong.");
  }
}

void need(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

// Made once, so that no step has to look which instruction set and how many threads there are.
void settle() {
  onecell::isa();
  onecell::num_threads();
}

onecell_status no_null() noexcept {
  return fail(ONECELL_BAD_ARGUMENT, "a pointer must not be null.");
}

}  // namespace

int32_t onecell_abi() { return ONECELL_ABI; }

const char* onecell_error() { return last_error; }

onecell_status onecell_cell_create(onecell_storage storage, int64_t input_size, int64_t hidden_size,
                                   const float* weight_ih, const float* weight_hh,
                                   const float* bias_ih, const float* bias_hh,
                                   onecell_cell** cell) {
  return guarded([&] {
    need(cell != nullptr && weight_ih != nullptr && weight_hh != nullptr,
         "`cell`, `weight_ih` and `weight_hh` must not be null.");
    need((bias_ih == nullptr) == (bias_hh == nullptr), "the biases must be null together.");
    need(storage >= ONECELL_FLOAT32 && storage <= ONECELL_BFLOAT16_BFLOAT16,
         "`storage` must be one of six.");
    need(input_size > 0 && hidden_size > 0 && input_size <= kLargest && hidden_size <= kLargest,
         "`input_size` and `hidden_size` must lie between 1 and 2^24.");
    settle();
    auto weights =
        std::make_shared<const FrozenWeights>(static_cast<Storage>(storage), input_size,
                                              hidden_size, weight_ih, weight_hh, bias_ih, bias_hh);
    *cell = new onecell_cell{std::move(weights)};
  });
}

onecell_status onecell_cell_load(const char* path, const char* name, onecell_storage storage,
                                 onecell_cell** cell) {
  return guarded([&] {
    need(cell != nullptr && path != nullptr, "`cell` and `path` must not be null.");
    need(storage >= ONECELL_AS_STORED && storage <= ONECELL_BFLOAT16_BFLOAT16,
         "`storage` must be ONECELL_AS_STORED or one of six.");
    settle();
    std::optional<Storage> wanted;
    if (storage != ONECELL_AS_STORED) wanted = static_cast<Storage>(storage);
    std::optional<std::string> called;
    if (name != nullptr) called = name;
    *cell = new onecell_cell{onecell::load_cell(path, called, wanted)};
  });
}

int64_t onecell_cell_input_size(const onecell_cell* cell) {
  return cell == nullptr ? 0 : cell->weights->input_size();
}
int64_t onecell_cell_hidden_size(const onecell_cell* cell) {
  return cell == nullptr ? 0 : cell->weights->hidden_size();
}
onecell_storage onecell_cell_storage(const onecell_cell* cell) {
  return cell == nullptr ? ONECELL_AS_STORED
                         : static_cast<onecell_storage>(cell->weights->storage());
}
void onecell_cell_destroy(onecell_cell* cell) { delete cell; }

onecell_status onecell_stream_create(const onecell_cell* cell, int64_t rows,
                                     onecell_stream** stream) {
  return guarded([&] {
    need(cell != nullptr && stream != nullptr, "`cell` and `stream` must not be null.");
    need(rows > 0 && rows <= kMost, "`rows` must lie between 1 and 2^30.");
    auto made = std::make_unique<onecell_stream>();
    made->weights = cell->weights;
    made->rows = rows;
    made->room = std::make_unique<float[]>(3 * made->values());
    made->h = made->room.get();
    made->c = made->h + made->values();
    made->next = made->c + made->values();
    made->integers.resize((cell->weights->step_room(rows) + 63) / 64);
    *stream = made.release();
  });
}

void onecell_stream_destroy(onecell_stream* stream) { delete stream; }

onecell_status onecell_stream_step(onecell_stream* stream, const float* x, float* h) {
  if (stream == nullptr || x == nullptr) return no_null();
  onecell_stream& s = *stream;
  // With a state given and by one thread a step takes no memory, so nothing here can throw.
  std::byte* const integers = s.integers.empty() ? nullptr : s.integers.data()->bytes;
  onecell::unroll({s.weights.get(), 1, s.rows, x, s.h, s.c, s.next, s.c, true, integers});
  std::swap(s.h, s.next);
  if (h != nullptr) std::memcpy(h, s.h, s.bytes());
  return ONECELL_OK;
}

onecell_status onecell_stream_unroll(onecell_stream* stream, int64_t steps, const float* x,
                                     float* h_all) {
  if (steps == 0 && stream != nullptr) return ONECELL_OK;
  return guarded([&] {
    need(stream != nullptr && x != nullptr && h_all != nullptr,
         "`stream`, `x` and `h_all` must not be null.");
    need(steps > 0 && steps <= kMost, "`steps` must lie between 0 and 2^30.");
    onecell_stream& s = *stream;
    // The next c goes where the next h would: an error leaves the state as it was.
    onecell::unroll({s.weights.get(), steps, s.rows, x, s.h, s.c, h_all, s.next, false, nullptr});
    std::memcpy(s.h, h_all + static_cast<std::size_t>(steps - 1) * s.values(), s.bytes());
    std::swap(s.c, s.next);
  });
}

onecell_status onecell_stream_reset(onecell_stream* stream) {
  if (stream == nullptr) return no_null();
  std::memset(stream->h, 0, stream->bytes());
  std::memset(stream->c, 0, stream->bytes());
  return ONECELL_OK;
}

onecell_status onecell_stream_snapshot(const onecell_stream* stream, float* h, float* c) {
  if (stream == nullptr || h == nullptr || c == nullptr) return no_null();
  std::memcpy(h, stream->h, stream->bytes());
  std::memcpy(c, stream->c, stream->bytes());
  return ONECELL_OK;
}

onecell_status onecell_stream_restore(onecell_stream* stream, const float* h, const float* c) {
  if (stream == nullptr || h == nullptr || c == nullptr) return no_null();
  std::memcpy(stream->h, h, stream->bytes());
  std::memcpy(stream->c, c, stream->bytes());
  return ONECELL_OK;
}

onecell_status onecell_set_threads(int32_t count) {
  return guarded([&] { onecell::set_num_threads(count); });
}
