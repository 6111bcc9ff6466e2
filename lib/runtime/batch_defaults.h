// What a run's inputs hold where the host leaves it to the file: positions and global tokens (schema/FORMAT.md).
#pragma once

#include "format/program.h"
#include "linnet/session.h"

namespace linnet::runtime {

/// The position behind the last one that fill_positions would write.
uint64_t positions_end(const format::Program& program, const Input& input, uint32_t first, uint64_t rows) noexcept;
/// out: [rows][columns]; each row's number in all columns.
void fill_positions(const format::Program& program, const Input& input, uint32_t first, size_t rows, size_t columns, int32_t* out) noexcept;
/// out: one for each token of the input.
void fill_global_tokens(const format::Program& program, const Input& input, int32_t* out) noexcept;

}  // namespace linnet::runtime
