#include "linnet/pictures.h"

#include <algorithm>

#include "core/limits.h"
#include "core/try.h"
#include "format/model_file.h"

namespace linnet {
namespace {

using format::Node;
using format::Port;
using format::Program;
using schema::Role;

const Port* find_input(const Program& program, Role role) {
  for (const Port& port : program.inputs)
    if (port.role == role) return &port;
  return nullptr;
}

// The side of a part: how many places go with one row of features.
uint32_t side_of(const Program& see) {
  const Port* places = find_input(see, Role::image_positions);
  if (!places) return 1;
  const format::Rows& rows = see.values[places->value].rows;
  uint32_t side = 1;
  while (side * side < rows.multiply / rows.divide) ++side;
  return side * side == rows.multiply / rows.divide && rows.per_sequence == 0 ? side : 0;
}

// Parts of a picture, 0 where its grid does not fall into them.
uint64_t parts_of(const PictureFormat& format, const PictureGrid& grid) {
  namespace limits = core::limits;
  const bool fits = grid.frames != 0 && grid.frames <= limits::kRowFactor && grid.rows != 0 && grid.rows <= limits::kRowFactor &&
                    grid.columns != 0 && grid.columns <= limits::kRowFactor;
  if (!fits || grid.rows % format.merge != 0 || grid.columns % format.merge != 0) return 0;
  return uint64_t{grid.frames} * (grid.rows / format.merge) * (grid.columns / format.merge);
}

Status bad_grid(const PictureFormat& format, const PictureGrid& grid) {
  return Status::error(Code::invalid_argument, "a picture of %u frames of %u x %u patches does not fall into parts of %u x %u", grid.frames,
                       grid.rows, grid.columns, format.merge, format.merge);
}

}  // namespace

Result<PictureFormat> picture_format(const Model& model) noexcept {
  PictureFormat found;
  for (const Program& program : model.file().programs()) {
    if (program.kind == schema::ProgramKind::vision) {
      found.see = program.name;
      found.any_size = find_input(program, Role::pixels) == nullptr;
      found.merge = side_of(program);
    }
    const Port* parts = find_input(program, Role::embeddings);
    if (!parts || program.kind != schema::ProgramKind::autoregressive) continue;
    found.write = program.name;
    found.columns = program.values[parts->value].columns;
    if (const Port* positions = find_input(program, Role::positions)) found.three_axes = program.values[positions->value].columns == 3;
    for (const Node& node : program.nodes)
      if (node.type == schema::Options::PlaceRows && found.token < 0)
        found.token = static_cast<int32_t>(node.as<schema::PlaceRows>().token_id());
  }
  if (found.see.empty() || found.write.empty() || found.token < 0 || found.merge == 0)
    return Status::error(Code::unsupported, "the model takes no pictures into its texts");
  return found;
}

Status picture_places(const PictureFormat& format, const PictureGrid& grid, std::span<int32_t> places) noexcept {
  if (parts_of(format, grid) == 0) return bad_grid(format, grid);
  if (places.size() != uint64_t{grid.rows} * grid.columns * 4)
    return Status::error(Code::invalid_argument, "room for %zu numbers, expected 4 for each of %u x %u patches", places.size(), grid.rows,
                         grid.columns);
  int32_t* to = places.data();
  for (uint32_t row = 0; row < grid.rows; row += format.merge)
    for (uint32_t column = 0; column < grid.columns; column += format.merge)
      for (uint32_t within = 0; within < format.merge * format.merge; ++within) {
        *to++ = static_cast<int32_t>(row + within / format.merge);
        *to++ = static_cast<int32_t>(column + within % format.merge);
        *to++ = static_cast<int32_t>(grid.rows);
        *to++ = static_cast<int32_t>(grid.columns);
      }
  return {};
}

Status picture_positions(const PictureFormat& format, std::span<const int32_t> tokens, std::span<const PictureGrid> grids, int32_t first,
                         std::span<int32_t> positions, int32_t* next) noexcept {
  if (positions.size() != tokens.size() * 3)
    return Status::error(Code::invalid_argument, "room for %zu positions, expected 3 for each of %zu tokens", positions.size(),
                         tokens.size());
  int64_t at = first;
  size_t picture = 0;
  for (size_t t = 0; t < tokens.size();) {
    if (tokens[t] != format.token) {
      std::fill_n(positions.data() + 3 * t++, 3, static_cast<int32_t>(at++));
    } else {
      if (picture == grids.size())
        return Status::error(Code::invalid_argument, "the text has places for more than %zu pictures", grids.size());
      const PictureGrid& grid = grids[picture++];
      const uint64_t parts = parts_of(format, grid), across = grid.columns / format.merge, frame = across * (grid.rows / format.merge);
      if (parts == 0) return bad_grid(format, grid);
      if (parts > tokens.size() - t ||
          std::any_of(tokens.begin() + static_cast<ptrdiff_t>(t), tokens.begin() + static_cast<ptrdiff_t>(t + parts),
                      [&](int32_t token) { return token != format.token; }))
        return Status::error(Code::invalid_argument, "token %zu begins a picture of %llu parts, for which the text has fewer places", t,
                             static_cast<unsigned long long>(parts));
      for (uint64_t part = 0; part < parts; ++part, ++t) {
        positions[3 * t] = static_cast<int32_t>(at + static_cast<int64_t>(part / frame));
        positions[3 * t + 1] = static_cast<int32_t>(at + static_cast<int64_t>(part % frame / across));
        positions[3 * t + 2] = static_cast<int32_t>(at + static_cast<int64_t>(part % across));
      }
      at += std::max(grid.rows, grid.columns) / format.merge;
    }
    if (at > core::limits::kContext || first < 0)
      return Status::error(Code::invalid_argument, "position %lld, expected 0 to %u", static_cast<long long>(at), core::limits::kContext);
  }
  if (picture != grids.size())
    return Status::error(Code::invalid_argument, "the text has places for %zu of %zu pictures", picture, grids.size());
  *next = static_cast<int32_t>(at);
  return {};
}

}  // namespace linnet
