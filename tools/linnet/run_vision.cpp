#include "run_vision.h"

#include <fmt/core.h>

#include <algorithm>

namespace linnet::tool {
namespace {

/// Pictures of a file, frame by frame.
struct Frame {
  std::span<const float> numbers;
  std::vector<int32_t> places;
};

struct Pictures {
  std::vector<PictureGrid> grids;  // of any size
  std::vector<Frame> frames;
};

size_t program_named(const Model& model, std::string_view name) {
  size_t i = 0;
  while (model.program(i).name != name) ++i;
  return i;
}

PortInfo picture_port(const Model& model, size_t see) {
  for (size_t i = 0; i < model.program(see).inputs; ++i)
    if (model.input(see, i).type == "f32") return model.input(see, i);
  throw Failure("its pictures have no input");
}

void add_patches(const PictureFormat& format, const PortInfo& port, const TensorFile& file, const HostTensor& pixels, Pictures* all) {
  const auto found = file.find("image_grid_thw");
  if (found == file.end() || !found->second.is_index || found->second.indices.size() % 3 != 0)
    throw Failure("the inputs lack 'image_grid_thw', integers of shape [pictures, 3]");
  const std::vector<int32_t>& sizes = found->second.indices;
  size_t at = 0;
  for (size_t i = 0; i < sizes.size(); i += 3) {
    if (*std::min_element(&sizes[i], &sizes[i] + 3) < 1) throw Failure("'image_grid_thw' holds numbers below 1");
    const PictureGrid grid = {static_cast<uint32_t>(sizes[i]), static_cast<uint32_t>(sizes[i + 1]), static_cast<uint32_t>(sizes[i + 2])};
    const uint64_t patches = uint64_t{grid.rows} * grid.columns;
    const uint64_t numbers = patches / (format.merge * format.merge) * port.columns;
    all->grids.push_back(grid);
    for (uint32_t frame = 0; frame < grid.frames; ++frame, at += numbers) {
      if (patches > pixels.numbers.size() || numbers > pixels.numbers.size() - at) break;
      Frame one{{pixels.numbers.data() + at, numbers}, std::vector<int32_t>(patches * 4)};
      check(picture_places(format, grid, one.places));
      all->frames.push_back(std::move(one));
    }
  }
  size_t frames = 0;
  for (const PictureGrid& grid : all->grids) frames += grid.frames;
  if (at != pixels.numbers.size() || frames != all->frames.size())
    throw Failure(
        fmt::format("'{}' has {} numbers, which are not the patches that 'image_grid_thw' speaks of", port.name, pixels.numbers.size()));
}

// Pictures without any light are padding.
void add_pixels(const PortInfo& port, const HostTensor& pixels, Pictures* all) {
  if (pixels.numbers.size() % port.columns != 0)
    throw Failure(fmt::format("'{}' must be pictures of {} numbers each", port.name, port.columns));
  for (size_t at = 0; at < pixels.numbers.size(); at += port.columns) {
    const std::span<const float> one(pixels.numbers.data() + at, port.columns);
    if (std::any_of(one.begin(), one.end(), [](float number) { return number != 0; })) all->frames.push_back({one, {}});
  }
}

Pictures read_pictures(const Model& model, const PictureFormat& format, size_t see, const TensorFile& file) {
  Pictures all;
  const PortInfo port = picture_port(model, see);
  if (file.count("pixel_values_videos")) throw Failure("films ('pixel_values_videos') are not read");
  const auto mask = file.find("pixel_attention_mask");
  if (mask != file.end() && std::count(mask->second.indices.begin(), mask->second.indices.end(), 0) != 0)
    throw Failure("'pixel_attention_mask' hides a part of a picture, which is not supported");
  const auto pixels = file.find(std::string(port.name));
  if (pixels == file.end()) return all;
  if (format.any_size)
    add_patches(format, port, file, pixels->second, &all);
  else
    add_pixels(port, pixels->second, &all);
  return all;
}

// Every output of the program that sees, and in `rows` all of them side by side.
void see(const Model& model, const PictureFormat& format, size_t program, const Pictures& pictures, Session& session, TensorFile* results,
         std::vector<float>* rows) {
  for (const Frame& frame : pictures.frames) {
    const Input input{.positions = frame.places, .features = frame.numbers};
    check(session.run(format.see, {&input, 1}));
    const size_t first = rows->size() / format.columns;
    size_t column = 0;
    for (size_t o = 0; o < model.program(program).outputs; ++o) {
      const PortInfo port = model.output(program, o);
      const Matrix matrix = take(session.output(port.name));
      HostTensor& out = (*results)[std::string(port.name)];
      out.numbers.insert(out.numbers.end(), matrix.data, matrix.data + matrix.rows * matrix.columns);
      out.shape = {out.numbers.size() / matrix.columns, matrix.columns};
      if (port.role != "image_features") continue;
      rows->resize((first + matrix.rows) * format.columns);
      for (size_t r = 0; r < matrix.rows; ++r)
        std::copy_n(matrix.row(r).data(), matrix.columns, rows->data() + (first + r) * format.columns + column);
      column += matrix.columns;
    }
    if (column != format.columns) throw Failure(fmt::format("a part of a picture has {} numbers, expected {}", column, format.columns));
  }
}

// A text and the parts of its pictures, in chunks.
void feed(const PictureFormat& format, Session& session, SequenceId sequence, size_t batch_row, const Row& row,
          std::span<const int32_t> positions, std::span<const float> parts, Collector* collector) {
  const size_t chunk = session.plan().limits().batch_tokens;
  for (size_t first = 0, used = 0; first < row.tokens.size(); first += chunk) {
    const size_t count = std::min(chunk, row.tokens.size() - first);
    Input input{.sequence = sequence, .tokens = {row.tokens.data() + first, count}};
    if (!positions.empty()) input.positions = positions.subspan(first * 3, count * 3);
    const auto places = static_cast<size_t>(std::count(input.tokens.begin(), input.tokens.end(), format.token));
    if (!parts.empty()) input.features = parts.subspan(used * format.columns, places * format.columns);
    used += places;
    check(session.run(format.write, {&input, 1}, all_outputs()));
    collector->add(session, {batch_row}, {count});
  }
}

size_t places_in(const PictureFormat& format, const Row& row) {
  return static_cast<size_t>(std::count(row.tokens.begin(), row.tokens.end(), format.token));
}

// The grids of a row's pictures: as many as its places are parts of.
std::span<const PictureGrid> grids_of(const PictureFormat& format, size_t places, std::span<const PictureGrid> left) {
  size_t count = 0;
  for (uint64_t parts = 0; parts < places && count < left.size(); ++count)
    parts += uint64_t{left[count].frames} * left[count].rows * left[count].columns / (format.merge * format.merge);
  return left.first(count);
}

void read_texts(const Model& model, const PictureFormat& format, const Batch& batch, const Pictures& pictures, std::span<const float> parts,
                Session& session, AdapterId adapter, TensorFile* results) {
  Collector collector(model, program_named(model, format.write), batch);
  std::span<const PictureGrid> left = pictures.grids;
  for (size_t b = 0; b < batch.rows; ++b) {
    const Row& row = batch.row[b];
    const size_t places = places_in(format, row);
    if (places * format.columns > parts.size())
      throw Failure(fmt::format("row {} has places for {} parts of pictures, but {} are left", b, places, parts.size() / format.columns));
    std::vector<int32_t> positions;
    if (format.three_axes && !pictures.frames.empty()) {
      const std::span<const PictureGrid> grids = grids_of(format, places, left);
      int32_t next = 0;
      positions.resize(row.tokens.size() * 3);
      check(picture_positions(format, row.tokens, grids, 0, positions, &next));
      left = left.subspan(grids.size());
    }
    const SequenceId sequence = take(session.add(adapter));
    feed(format, session, sequence, b, row, positions, parts.first(places * format.columns), &collector);
    parts = parts.subspan(places * format.columns);
    check(session.remove(sequence));
  }
  if (!parts.empty()) throw Failure(fmt::format("no text has places for {} parts of pictures", parts.size() / format.columns));
  collector.finish(results);
}

}  // namespace

void run_with_pictures(const Model& model, const PictureFormat& format, const TensorFile& file, Limits limits, const LoadedAdapter& adapter,
                       TensorFile* results) {
  const size_t seeing = program_named(model, format.see), writing = program_named(model, format.write);
  const Pictures pictures = read_pictures(model, format, seeing, file);
  const std::string ids = input_name(model, writing, "token_ids");
  const Batch batch = file.count(ids) || pictures.frames.empty() ? token_batch(file, model, writing, ids) : Batch();
  size_t longest = 1, parts = 1;
  for (const Row& row : batch.row) longest = std::max(longest, row.tokens.size()), parts = std::max(parts, places_in(format, row));
  for (const Frame& frame : pictures.frames) parts = std::max(parts, frame.places.size() / 4 / (format.merge * format.merge));
  if (!limits.context) limits.context = static_cast<uint32_t>(longest);
  if (!limits.batch_tokens) limits.batch_tokens = static_cast<uint32_t>(longest);
  limits.outputs = limits.batch_tokens;
  limits.patches = static_cast<uint32_t>(parts);
  Session session = take(Session::create(model, take(plan(model, limits))));
  const AdapterId chosen = adapter.attach(session);
  std::vector<float> rows;
  see(model, format, seeing, pictures, session, results, &rows);
  if (batch.rows != 0) read_texts(model, format, batch, pictures, rows, session, chosen, results);
}

}  // namespace linnet::tool
