#include "header.h"

#include <array>
#include <limits>
#include <optional>

#include "cells_in_files.h"

namespace onecell {
namespace {

// JSON so far as a header has it: an object of objects of texts, whole numbers and lists of these.
// So nothing is nested, and reading takes no stack.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // Call f(key) for every key of an object, behind its colon.
  template <class F>
  void each_key(const F& f) {
    take('{');
    if (took('}')) return;
    do {
      const std::string key = text();
      take(':');
      f(key);
    } while (took(','));
    take('}');
  }

  std::vector<std::int64_t> numbers() {
    std::vector<std::int64_t> found;
    take('[');
    if (took(']')) return found;
    do {
      if (found.size() == kMostNumbers) fail("a list is too long");
      found.push_back(number());
    } while (took(','));
    take(']');
    return found;
  }

  std::string text() {
    take('"');
    std::string found;
    for (;;) {
      const char next = any();
      if (next == '"') return found;
      if (static_cast<unsigned char>(next) < 0x20) fail("a text has a control character");
      if (next == '\\')
        escaped(found);
      else
        found += next;
    }
  }

  void end() {
    skip();
    if (!rest_.empty()) fail("something stands behind it");
  }

  [[noreturn]] static void fail(const char* what) {
    throw BadFile(std::string("its header is not one of safetensors: ") + what + ".");
  }

 private:
  static constexpr std::size_t kMostNumbers = 64;

  void skip() {
    const std::size_t at = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }
  char any() {
    if (rest_.empty()) fail("it ends too early");
    const char next = rest_.front();
    rest_.remove_prefix(1);
    return next;
  }
  bool took(char wanted) {
    skip();
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void take(char wanted) {
    if (!took(wanted)) fail("it is not the JSON that is wanted");
  }

  std::int64_t number() {
    skip();
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++digits) {
      if (digits > 0 && value == 0) fail("a number begins with 0");
      const int digit = any() - '0';
      if (value > (std::numeric_limits<std::int64_t>::max() - digit) / 10)
        fail("a number is too large");
      value = 10 * value + digit;
    }
    if (digits == 0) fail("it is not the JSON that is wanted");
    return value;
  }

  unsigned hex4() {
    unsigned value = 0;
    for (int i = 0; i < 4; ++i) {
      const char next = any();
      const std::size_t digit = std::string_view("0123456789abcdefABCDEF").find(next);
      if (digit == std::string_view::npos) fail("an escape is wrong");
      value = 16 * value + static_cast<unsigned>(digit < 16 ? digit : digit - 6);
    }
    return value;
  }

  void escaped(std::string& to) {
    const char kind = any();
    constexpr std::string_view kKinds = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    if (const std::size_t at = kKinds.find(kind); at != std::string_view::npos) {
      to += kMeant[at];
      return;
    }
    if (kind != 'u') fail("an escape is wrong");
    unsigned code = hex4();
    if (code >= 0xD800 && code < 0xE000) {  // the first half of a pair, or nothing at all
      if (code >= 0xDC00 || any() != '\\' || any() != 'u') fail("an escape is wrong");
      const unsigned low = hex4();
      if (low < 0xDC00 || low >= 0xE000) fail("an escape is wrong");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    const auto byte = [&to](unsigned value) { to += static_cast<char>(value); };
    if (code < 0x80) return byte(code);
    if (code < 0x800) {
      byte(0xC0 | code >> 6);
    } else {
      if (code < 0x10000) {
        byte(0xE0 | code >> 12);
      } else {
        byte(0xF0 | code >> 18);
        byte(0x80 | (code >> 12 & 0x3F));
      }
      byte(0x80 | (code >> 6 & 0x3F));
    }
    byte(0x80 | (code & 0x3F));
  }

  std::string_view rest_;
};

// Bytes of an element; nothing for a type that is not known here, of which no cell is made.
std::optional<std::uint64_t> element_bytes(const std::string& dtype) {
  struct Row {
    std::string_view name;
    std::uint64_t bytes;
  };
  static constexpr std::array<Row, 5> kRows = {
      {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I8", 1}}};
  for (const Row& row : kRows)
    if (row.name == dtype) return row.bytes;
  return {};
}

Entry read_entry(Reader& reader) {
  std::optional<std::string> dtype;
  std::optional<std::vector<std::int64_t>> shape, offsets;
  reader.each_key([&](const std::string& key) {
    const auto once = [](auto& field, auto&& value) {
      if (field.has_value()) Reader::fail("a tensor says something twice");
      field = std::move(value);
    };
    if (key == "dtype")
      once(dtype, reader.text());
    else if (key == "shape")
      once(shape, reader.numbers());
    else if (key == "data_offsets")
      once(offsets, reader.numbers());
    else
      Reader::fail("a tensor says something that is not known");
  });
  if (!dtype || !shape || !offsets || offsets->size() != 2)
    Reader::fail("a tensor does not say its dtype, shape and data_offsets");
  return {*dtype, *shape, static_cast<std::uint64_t>((*offsets)[0]),
          static_cast<std::uint64_t>((*offsets)[1])};
}

void check(const Entry& entry, std::uint64_t data_bytes) {
  if (entry.begin > entry.end || entry.end > data_bytes)
    Reader::fail("a tensor lies outside the file");
  const std::optional<std::uint64_t> each = element_bytes(entry.dtype);
  if (!each) return;
  std::uint64_t bytes = *each;
  for (const std::int64_t size : entry.shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes))
      Reader::fail("a shape is too large");
  if (bytes != entry.end - entry.begin) Reader::fail("a tensor is not as large as its shape");
}

}  // namespace

Header read_header(std::string_view text, std::uint64_t data_bytes) {
  Header header;
  Reader reader(text);
  bool described = false;
  reader.each_key([&](const std::string& name) {
    if (name == "__metadata__") {
      if (described) Reader::fail("a name stands there twice");
      described = true;
      reader.each_key([&](const std::string& key) {
        if (!header.metadata.emplace(key, reader.text()).second)
          Reader::fail("a name stands there twice");
      });
      return;
    }
    Entry entry = read_entry(reader);
    check(entry, data_bytes);
    if (!header.tensors.emplace(name, std::move(entry)).second)
      Reader::fail("a name stands there twice");
  });
  reader.end();
  return header;
}

}  // namespace onecell
