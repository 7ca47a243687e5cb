// The C interface against the kernel's own: bits, states, errors, files that are damaged; and that
// a step takes no memory and no lock, and asks nothing of the operating system.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "checks.h"
#include "onecell/cell.h"
#include "onecell/frozen.h"
#include "onecell/onecell.h"

#if defined(__linux__) && defined(__x86_64__)
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#define ONECELL_SECCOMP
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#undef ONECELL_SECCOMP
#endif

namespace {

std::atomic<long> allocations{0};
std::atomic<long> locks{0};

}  // namespace

// Counted are all that the linker turns to these: of this program and the library inside it.
extern "C" {
void* __real_malloc(std::size_t bytes);
void* __real_calloc(std::size_t count, std::size_t bytes);
void* __real_aligned_alloc(std::size_t alignment, std::size_t bytes);
int __real_pthread_mutex_lock(pthread_mutex_t* mutex);
int __real_pthread_mutex_trylock(pthread_mutex_t* mutex);
void* __wrap_malloc(std::size_t bytes) { return ++allocations, __real_malloc(bytes); }
void* __wrap_calloc(std::size_t n, std::size_t bytes) {
  return ++allocations, __real_calloc(n, bytes);
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return ++allocations, __real_aligned_alloc(alignment, bytes);
}
int __wrap_pthread_mutex_lock(pthread_mutex_t* mutex) {
  return ++locks, __real_pthread_mutex_lock(mutex);
}
int __wrap_pthread_mutex_trylock(pthread_mutex_t* mutex) {
  return ++locks, __real_pthread_mutex_trylock(mutex);
}
}

#define ONECELL_APART __attribute__((noinline))
ONECELL_APART void* operator new(std::size_t bytes) {
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
ONECELL_APART void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const std::size_t unit = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit)) return memory;
  throw std::bad_alloc();
}
ONECELL_APART void operator delete(void* memory) noexcept { std::free(memory); }
ONECELL_APART void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
ONECELL_APART void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
ONECELL_APART void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace {

using Floats = std::vector<float>;
using Size = std::int64_t;

bool same_bits(const Floats& a, const Floats& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

struct Problem {
  Size steps, rows, input, hidden;
  bool biased;
  Floats weight_ih, weight_hh, bias_ih, bias_hh, x, h, c;

  Problem(Size t, Size n, Size i, Size u, bool with_biases)
      : steps(t), rows(n), input(i), hidden(u), biased(with_biases) {
    std::mt19937_64 random(7);
    std::normal_distribution<float> normal;
    const auto draw = [&](Size count) {
      Floats values(count);
      for (float& value : values) value = normal(random);
      return values;
    };
    weight_ih = draw(4 * u * i);
    weight_hh = draw(4 * u * u);
    bias_ih = draw(4 * u);
    bias_hh = draw(4 * u);
    x = draw(t * n * i);
    h = draw(n * u);
    c = draw(n * u);
  }

  onecell_cell* cell(onecell_storage storage) const {
    onecell_cell* made = nullptr;
    const onecell_status status = onecell_cell_create(
        storage, input, hidden, weight_ih.data(), weight_hh.data(),
        biased ? bias_ih.data() : nullptr, biased ? bias_hh.data() : nullptr, &made);
    check(status == ONECELL_OK && made != nullptr, "a cell is made");
    return made;
  }
  Size state() const { return rows * hidden; }
};

onecell_stream* stream_of(const onecell_cell* cell, const Problem& p) {
  onecell_stream* made = nullptr;
  check(onecell_stream_create(cell, p.rows, &made) == ONECELL_OK, "a stream is made");
  return made;
}

void check_bits(const Problem& p, onecell_storage storage) {
  const onecell::FrozenWeights weights(static_cast<onecell::Storage>(storage), p.input, p.hidden,
                                       p.weight_ih.data(), p.weight_hh.data(),
                                       p.biased ? p.bias_ih.data() : nullptr,
                                       p.biased ? p.bias_hh.data() : nullptr);
  Floats wanted(p.steps * p.state()), wanted_c(p.state());
  onecell::unroll(onecell::FrozenForward{&weights, p.steps, p.rows, p.x.data(), p.h.data(),
                                         p.c.data(), wanted.data(), wanted_c.data()});

  onecell_cell* const cell = p.cell(storage);
  check(onecell_cell_input_size(cell) == p.input && onecell_cell_hidden_size(cell) == p.hidden &&
            onecell_cell_storage(cell) == storage,
        "a cell tells its sizes");
  onecell_stream* const one = stream_of(cell, p);
  onecell_stream* const other = stream_of(cell, p);
  onecell_cell_destroy(cell);  // the streams keep it

  Floats found(wanted.size()), h(p.state()), c(p.state());
  onecell_stream_restore(one, p.h.data(), p.c.data());
  for (Size t = 0; t < p.steps; ++t)
    onecell_stream_step(one, p.x.data() + t * p.rows * p.input,
                        t % 3 == 2 ? nullptr : found.data() + t * p.state());
  for (Size t = 2; t < p.steps; t += 3)
    std::memcpy(found.data() + t * p.state(), wanted.data() + t * p.state(),
                p.state() * sizeof(float));
  check(same_bits(found, wanted), "steps have the bits of the kernel's sequence");
  onecell_stream_snapshot(one, h.data(), c.data());
  check(std::memcmp(h.data(), wanted.data() + (p.steps - 1) * p.state(),
                    p.state() * sizeof(float)) == 0 &&
            same_bits(c, wanted_c),
        "a snapshot has the state after the last step, also one whose h was not asked for");

  onecell_stream_restore(other, p.h.data(), p.c.data());
  check(onecell_stream_unroll(other, p.steps, p.x.data(), found.data()) == ONECELL_OK, "unroll");
  check(same_bits(found, wanted), "a sequence has the bits of its steps");
  Floats h2(p.state()), c2(p.state());
  onecell_stream_snapshot(other, h2.data(), c2.data());
  check(same_bits(h, h2) && same_bits(c, c2), "both end in one state");

  onecell_stream_reset(one);
  onecell_stream_snapshot(one, h.data(), c.data());
  check(same_bits(h, Floats(p.state())) && same_bits(c, h), "reset gives zeros");
  onecell_stream_destroy(one);
  onecell_stream_destroy(other);
}

void check_errors() {
  const Problem p(1, 1, 3, 5, true);
  onecell_cell* cell = nullptr;
  const float* const w = p.weight_ih.data();
  const auto made = [&](onecell_storage storage, Size i, Size h, const float* a, const float* b) {
    return onecell_cell_create(storage, i, h, w, p.weight_hh.data(), a, b, &cell);
  };
  const auto refused = [&](onecell_status status, const char* what) {
    check(status == ONECELL_BAD_ARGUMENT && onecell_error()[0] != '\0' && cell == nullptr, what);
  };
  refused(made(9, 3, 5, nullptr, nullptr), "a storage that there is not");
  refused(made(-1, 3, 5, nullptr, nullptr), "a storage of files alone");
  refused(made(0, 0, 5, nullptr, nullptr), "no input");
  refused(made(0, 3, Size{1} << 40, nullptr, nullptr), "a size beyond memory");
  refused(made(0, 3, 5, p.bias_ih.data(), nullptr), "one bias");
  refused(onecell_cell_create(0, 3, 5, nullptr, w, nullptr, nullptr, &cell), "no weights");
  refused(onecell_cell_create(0, 3, 5, w, w, nullptr, nullptr, nullptr), "nowhere to put it");
  Floats infinite = p.weight_hh;
  infinite[7] = std::numeric_limits<float>::infinity();
  refused(onecell_cell_create(ONECELL_INT8, 3, 5, w, infinite.data(), nullptr, nullptr, &cell),
          "an infinite weight in int8");
  onecell_stream* stream = nullptr;
  refused(onecell_stream_create(nullptr, 1, &stream), "a stream of nothing");
  cell = p.cell(0);
  check(onecell_stream_create(cell, 0, &stream) == ONECELL_BAD_ARGUMENT && stream == nullptr,
        "a stream of no rows");
  stream = stream_of(cell, p);
  float h[5] = {};
  check(onecell_stream_step(nullptr, h, h) == ONECELL_BAD_ARGUMENT &&
            onecell_stream_step(stream, nullptr, h) == ONECELL_BAD_ARGUMENT &&
            onecell_stream_unroll(stream, 1, nullptr, h) == ONECELL_BAD_ARGUMENT &&
            onecell_stream_unroll(stream, -1, h, h) == ONECELL_BAD_ARGUMENT &&
            onecell_stream_restore(stream, h, nullptr) == ONECELL_BAD_ARGUMENT &&
            onecell_set_threads(-3) == ONECELL_BAD_ARGUMENT,
        "null pointers and negative counts are refused");
  check(onecell_stream_unroll(stream, 0, nullptr, nullptr) == ONECELL_OK, "no steps, no change");
  onecell_stream_destroy(stream);
  onecell_stream_destroy(nullptr);
  onecell_cell_destroy(cell);
  onecell_cell_destroy(nullptr);
  check(onecell_abi() == ONECELL_ABI, "the library is of this header");
}

// Steps of the largest cell that the team would share, in a thread that has never been here.
void check_that_steps_take_nothing(const Problem& p, onecell_storage storage) {
  onecell_cell* const cell = p.cell(storage);
  onecell_stream* const stream = stream_of(cell, p);
  Floats h(p.state());
  onecell_set_threads(2);
  long took = -1, locked = -1;
  std::thread([&] {
    const long before = allocations, locks_before = locks;
    for (int i = 0; i < 20; ++i) onecell_stream_step(stream, p.x.data(), h.data());
    took = allocations - before;
    locked = locks - locks_before;
  }).join();
  check(took == 0, "a step takes no memory");
  check(locked == 0, "a step takes no lock");
  // The counts can fail: a sequence whose products wait for their steps takes both.
  const Problem few(90, 2, p.input, p.hidden, true);
  onecell_cell* const other = few.cell(storage);
  onecell_stream* const sequence = stream_of(other, few);
  Floats h_all(few.steps * few.state());
  std::thread([&] {
    const long before = allocations, locks_before = locks;
    onecell_stream_unroll(sequence, few.steps, few.x.data(), h_all.data());
    took = allocations - before;
    locked = locks - locks_before;
  }).join();
  check(took > 0 && locked > 0, "what takes memory and locks is counted");
  onecell_stream_destroy(sequence);
  onecell_cell_destroy(other);

#ifdef ONECELL_SECCOMP
  // The child is killed at its first call of the system, other than the last; where that cannot be
  // asked for, in some containers, nothing is checked.
  constexpr int kUnasked = 77;
  const auto ended = [&](bool talks) {
    const pid_t child = fork();
    if (child == 0) {
      if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) _exit(kUnasked);
      for (int i = 0; i < 20; ++i) onecell_stream_step(stream, p.x.data(), h.data());
      if (talks) syscall(SYS_getpid);
      syscall(SYS_exit, 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  if (const int quiet = ended(false); quiet != kUnasked) {
    check(quiet == 0, "a step calls nothing of the system's");
    check(ended(true) == -1, "what calls the system is killed");
  }
#endif
  onecell_set_threads(0);
  onecell_stream_destroy(stream);
  onecell_cell_destroy(cell);
}

class File {
 public:
  File()
      : path_((std::filesystem::temp_directory_path() /
               ("onecell-" + std::to_string(std::random_device{}()) + ".safetensors"))
                  .string()) {}
  ~File() { std::filesystem::remove(path_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  const char* path() const { return path_.c_str(); }
  void write(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

 private:
  std::string path_;
};

std::string with_length(const std::string& header) {
  std::string bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return bytes + header;
}

std::string tensor(const std::string& name, const char* dtype, const std::string& shape,
                   std::size_t begin, std::size_t end) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape +
         "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

std::string raw(const Floats& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// A file with the cell of `p` under a name with an escape in it, and something else beside it.
std::string file_of(const Problem& p) {
  const Floats* const all[] = {&p.weight_ih, &p.weight_hh, &p.bias_ih, &p.bias_hh};
  const char* const names[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
  const std::string g = std::to_string(4 * p.hidden);
  const std::string shapes[] = {g + "," + std::to_string(p.input),
                                g + " , " + std::to_string(p.hidden), g, g};
  std::string header = "{\"__metadata__\":{\"format\":\"pt\"},", data;
  for (int i = 0; i < 4; ++i) {
    const std::size_t begin = data.size();
    data += raw(*all[i]);
    header += tensor(std::string("d\\u00e9\\uD83D\\ude00.") + names[i], "F32", shapes[i], begin,
                     data.size()) +
              ",\n";
  }
  header += tensor("steps", "I64", "2", data.size(), data.size() + 16) + "}   ";
  return with_length(header) + data + std::string(16, '\1');
}

void check_files() {
  const Problem p(1, 1, 3, 5, true);
  const File file;
  const std::string whole = file_of(p);
  const auto load = [&](const std::string& bytes, const char* name = nullptr,
                        onecell_storage storage = ONECELL_AS_STORED) {
    file.write(bytes);
    onecell_cell* cell = nullptr;
    const onecell_status status = onecell_cell_load(file.path(), name, storage, &cell);
    check((status == ONECELL_OK) == (cell != nullptr), "a cell or an error");
    check(status == ONECELL_OK || onecell_error()[0] != '\0', "an error says something");
    return std::pair(status, cell);
  };
  for (const char* const name : {static_cast<const char*>(nullptr), "d\u00e9\U0001F600"})
    for (const onecell_storage storage : {ONECELL_AS_STORED, ONECELL_BFLOAT16}) {
      const auto [status, cell] = load(whole, name, storage);
      check(status == ONECELL_OK, "a cell is read by its name, or without one");
      if (cell == nullptr) continue;
      onecell_cell* const direct = p.cell(storage < 0 ? ONECELL_FLOAT32 : storage);
      onecell_stream* const one = stream_of(cell, p);
      onecell_stream* const two = stream_of(direct, p);
      Floats a(p.state()), b(p.state());
      onecell_stream_step(one, p.x.data(), a.data());
      onecell_stream_step(two, p.x.data(), b.data());
      check(same_bits(a, b), "and computes the same");
      onecell_stream_destroy(one);
      onecell_stream_destroy(two);
      onecell_cell_destroy(direct);
      onecell_cell_destroy(cell);
    }
  check(load(whole, "other").first == ONECELL_BAD_FILE, "no cell of this name");
  onecell_cell* cell = nullptr;
  check(onecell_cell_load("/nonexistent/x.safetensors", nullptr, -1, &cell) == ONECELL_NO_FILE &&
            onecell_cell_load("/", nullptr, -1, &cell) == ONECELL_NO_FILE &&
            onecell_cell_load("/dev/zero", nullptr, -1, &cell) == ONECELL_NO_FILE,
        "what is no file is not read");

  // Cut off anywhere, and with any byte of the header another: an error or a cell, never worse.
  for (std::size_t length = 0; length < whole.size(); length += length < 700 ? 1 : 37)
    check(load(whole.substr(0, length)).first == ONECELL_BAD_FILE, "a file that is cut off");
  std::mt19937 random(3);
  for (int i = 0; i < 4000; ++i) {
    std::string other = whole;
    for (unsigned n = 0; n <= random() % 3; ++n)
      other[random() % 600] = static_cast<char>(random() % 2 == 0 ? random() : '0' + random() % 12);
    onecell_cell_destroy(load(other).second);
  }
  const auto bad = [&](const std::string& header, const char* what) {
    check(load(with_length(header) + std::string(4096, '\0')).first == ONECELL_BAD_FILE, what);
  };
  const std::string ih = tensor("weight_ih", "F32", "20,3", 0, 240);
  const std::string hh = tensor("weight_hh", "F32", "20,5", 240, 640);
  const auto [status, unbiased] =
      load(with_length("{" + ih + "," + hh + "}") + std::string(640, '\0'));
  check(status == ONECELL_OK, "a cell without biases");
  onecell_cell_destroy(unbiased);
  bad("{" + ih + "," + hh + "," + ih + "}", "a name twice");
  bad("{" + ih + "," + hh + "," + tensor("bias_ih", "F32", "20", 0, 80) + "}", "one bias");
  bad("{" + ih + "," + tensor("weight_hh", "F64", "20,5", 240, 1040) + "}", "another type");
  bad("{" + ih + "," + tensor("weight_hh", "F32", "20,5", 4000, 4400) + "}", "beyond the file");
  bad("{" + ih + "," + tensor("weight_hh", "F32", "5,20", 240, 640) + "}", "another shape");
  bad("{" + tensor("weight_ih", "F32", "4611686018427387904,4", 0, 0) + "," + hh + "}",
      "a shape whose size overflows");
  bad("{" + ih + "," + hh + "," + tensor("a.weight_ih", "F32", "20,3", 0, 240) + "," +
          tensor("a.weight_hh", "F32", "20,5", 240, 640) + "}",
      "two cells and no name");
  bad("{" + ih + "}{", "something behind the header");
  bad(std::string(100000, '{'), "deep nesting");
  bad("{\"a\":{\"dtype\":\"F32\",\"shape\":[" + std::string(100000, '[') + "}}", "nested lists");
  file.write(std::string(8, '\xff') + "{}");
  check(onecell_cell_load(file.path(), nullptr, -1, &cell) == ONECELL_BAD_FILE,
        "a length that lies");
}

}  // namespace

int main() {
  for (const std::string& isa : onecell::available_isas()) {
    onecell::set_isa(isa);
    for (onecell_storage storage = ONECELL_FLOAT32; storage <= ONECELL_BFLOAT16_BFLOAT16;
         ++storage) {
      check_bits(Problem(7, 1, 3, 5, true), storage);
      check_bits(Problem(5, 4, 18, 33, false), storage);
      check_bits(Problem(90, 2, 1, 40, true), storage);
    }
  }
  check_errors();
  check_files();
  for (const onecell_storage storage :
       {ONECELL_FLOAT32, ONECELL_INT8, ONECELL_INT8_INT8, ONECELL_BFLOAT16_BFLOAT16})
    check_that_steps_take_nothing(Problem(1, 64, 130, 200, true), storage);
  std::printf("library: %d checks, %d failures\n", checks, failures);
  return failures == 0 ? 0 : 1;
}
