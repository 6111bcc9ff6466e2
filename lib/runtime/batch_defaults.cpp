#include "runtime/batch_defaults.h"

#include <algorithm>

namespace linnet::runtime {

uint64_t positions_end(const format::Program& program, const Input& input, uint32_t first, uint64_t rows) noexcept {
  if (program.padding_id < 0) return first + rows;
  const auto padding = std::count(input.tokens.begin(), input.tokens.end(), program.padding_id);
  return static_cast<uint64_t>(program.padding_id) + 1 + input.tokens.size() - static_cast<size_t>(padding);
}

void fill_positions(const format::Program& program, const Input& input, uint32_t first, size_t rows, size_t columns,
                    int32_t* out) noexcept {
  int32_t next = program.padding_id < 0 ? static_cast<int32_t>(first) : program.padding_id + 1;
  for (size_t r = 0; r < rows; ++r) {
    const bool padding = program.padding_id >= 0 && input.tokens[r] == program.padding_id;
    const int32_t position = padding ? program.padding_id : next++;
    std::fill_n(out + r * columns, columns, position);
  }
}

void fill_global_tokens(const format::Program& program, const Input& input, int32_t* out) noexcept {
  const size_t count = input.tokens.size();
  size_t globals = 0;
  if (program.global_rule == schema::GlobalRule::first) globals = std::min<size_t>(1, count);
  if (program.global_rule == schema::GlobalRule::before_separator) {
    const auto separator = std::find(input.tokens.begin(), input.tokens.end(), program.separator_id);
    globals = separator == input.tokens.end() ? 0 : static_cast<size_t>(separator - input.tokens.begin());
  }
  std::fill_n(out, globals, 1);
  std::fill_n(out + globals, count - globals, 0);
}

}  // namespace linnet::runtime
