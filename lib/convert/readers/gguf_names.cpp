#include "convert/readers/gguf_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace linnet::convert {
namespace {

using Numbers = std::vector<std::string>;

bool ends_in(const std::string& text, const std::string& ending) {
  return text.size() > ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

// Digits as a program writes them: at most nine, no zeros before.
size_t number_length(const std::string& text, size_t at) {
  size_t end = at;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  const size_t length = end - at;
  return length > 9 || (length > 1 && text[at] == '0') ? 0 : length;
}

std::optional<Numbers> match(const std::string& pattern, const std::string& name) {
  Numbers numbers;
  size_t at = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') return numbers;
    if (pattern[i] == '{') {
      const size_t length = number_length(name, at);
      if (length == 0) return std::nullopt;
      numbers.push_back(name.substr(at, length));
      at += length;
      ++i;  // the closing brace
    } else if (at >= name.size() || name[at++] != pattern[i]) {
      return std::nullopt;
    }
  }
  return at == name.size() ? std::optional(numbers) : std::nullopt;
}

std::string fill(const std::string& pattern, const Numbers& numbers) {
  std::string filled;
  size_t next = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '{') {
      filled += pattern[i];
      continue;
    }
    filled += numbers.at(next++);
    ++i;
  }
  return filled;
}

// Rows of the innermost dimension; a vector's rows are its values.
uint64_t rows_of(const GgufFile::Tensor& tensor) {
  return tensor.shape.size() == 1 ? tensor.shape[0] : tensor.values / tensor.shape.back();
}

void expect_rows(const GgufFile::Tensor& tensor, uint64_t expected) {
  if (tensor.shape.size() > 2 || tensor.shape[0] != expected)
    throw Error(fmt::format("tensor '{}' has {} rows, expected {} for the heads that the file's keys give", tensor.name, tensor.shape[0],
                            expected));
}

GgufPart whole(const GgufFile::Tensor& tensor, const std::string& name) { return {name, tensor.shape, 0, rows_of(tensor), 0}; }

GgufPart of_heads(const GgufFile::Tensor& tensor, const std::string& name, uint32_t count, const GgufHeads& heads) {
  expect_rows(tensor, static_cast<uint64_t>(count) * heads.key_width);
  GgufPart part = whole(tensor, name);
  if (heads.paired) part.paired_heads = count;
  return part;
}

std::vector<GgufPart> query_key_value(const GgufFile::Tensor& tensor, const std::string& names, const std::string& ending,
                                      const GgufHeads& heads) {
  const uint64_t query = static_cast<uint64_t>(heads.heads) * heads.key_width,
                 key = static_cast<uint64_t>(heads.kv_heads) * heads.key_width;
  const uint64_t value = static_cast<uint64_t>(heads.kv_heads) * heads.value_width;
  expect_rows(tensor, query + key + value);
  const size_t first = names.find('|'), second = names.find('|', first + 1);
  std::vector<uint64_t> shape = tensor.shape;
  auto part = [&](const std::string& name, uint64_t from, uint64_t rows, uint32_t paired) {
    shape[0] = rows;
    return GgufPart{name + ending, shape, from, rows, heads.paired ? paired : 0};
  };
  return {part(names.substr(0, first), 0, query, heads.heads),
          part(names.substr(first + 1, second - first - 1), query, key, heads.kv_heads),
          part(names.substr(second + 1), query + key, value, 0)};
}

std::vector<GgufPart> experts(const GgufFile::Tensor& tensor, const std::string& pattern, Numbers numbers, const std::string& ending,
                              const GgufHeads& heads) {
  if (tensor.shape.size() < 2 || tensor.shape[0] != heads.experts)
    throw Error(fmt::format("tensor '{}' is for {} experts, expected {}", tensor.name, tensor.shape[0], heads.experts));
  const std::vector<uint64_t> shape(tensor.shape.begin() + 1, tensor.shape.end());
  const uint64_t rows = rows_of(tensor) / heads.experts;
  // Biases of experts are the rows of one matrix: a row becomes a vector.
  std::vector<GgufPart> parts;
  numbers.push_back("");
  for (uint32_t expert = 0; expert < heads.experts; ++expert) {
    numbers.back() = std::to_string(expert);
    parts.push_back({fill(pattern, numbers) + ending, shape, expert * rows, rows, 0});
  }
  return parts;
}

}  // namespace

std::vector<GgufPart> gguf_parts(const GgufFile::Tensor& tensor, std::span<const GgufName> rules, const GgufHeads& heads) {
  std::string base = tensor.name, ending;
  for (const char* candidate : {".weight", ".bias"})
    if (ends_in(tensor.name, candidate)) ending = candidate;
  base.resize(base.size() - ending.size());
  for (const GgufName& rule : rules) {
    const std::optional<Numbers> numbers = match(rule.gguf, base);
    if (!numbers) continue;
    if (!numbers->empty() && std::stoul(numbers->front()) >= heads.layers)
      throw Error(fmt::format("tensor '{}' belongs to a layer beyond the {} of the model", tensor.name, heads.layers));
    if (!rule.hugging_face) return {};
    if (rule.rows == GgufRows::experts) return experts(tensor, rule.hugging_face, *numbers, ending, heads);
    const std::string name = rule.rows == GgufRows::query_key_value ? "" : fill(rule.hugging_face, *numbers) + ending;
    switch (rule.rows) {
      case GgufRows::query:
        return {of_heads(tensor, name, heads.heads, heads)};
      case GgufRows::key:
        return {of_heads(tensor, name, heads.kv_heads, heads)};
      case GgufRows::query_key_value: {
        Numbers thrice;
        for (int i = 0; i < 3; ++i) thrice.insert(thrice.end(), numbers->begin(), numbers->end());
        return query_key_value(tensor, fill(rule.hugging_face, thrice), ending, heads);
      }
      case GgufRows::one_row: {
        GgufPart part = whole(tensor, name);
        if (part.shape.size() == 1) part.shape.insert(part.shape.begin(), 1);
        return {part};
      }
      default:
        return {whole(tensor, name)};
    }
  }
  throw Error(fmt::format("tensor '{}' is not known for this architecture", tensor.name));
}

std::vector<float> halves_from_pairs(const std::vector<float>& values, uint64_t rows, uint64_t width, uint32_t heads) {
  const uint64_t head = rows / heads, half = head / 2;
  std::vector<float> restored(values.size());
  for (uint64_t row = 0; row < rows; ++row) {
    const uint64_t first = row / head * head, r = row % head;
    const uint64_t from = first + 2 * (r % half) + r / half;
    std::copy_n(values.begin() + static_cast<ptrdiff_t>(from * width), width, restored.begin() + static_cast<ptrdiff_t>(row * width));
  }
  return restored;
}

}  // namespace linnet::convert
