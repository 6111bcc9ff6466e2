// Pictures: cut into patches, joined, given places, and put among the tokens of a text.
#include <fmt/format.h>

#include "convert/graph.h"

namespace linnet::convert {

using schema::ValueType;

namespace {

constexpr uint32_t kPlaceColumns = 4;  // row, column, rows, columns

}  // namespace

Value Graph::pixels(uint32_t channels, uint32_t height, uint32_t width) {
  const uint64_t numbers = uint64_t{channels} * height * width;
  if (uint64_t{height} * width > core::limits::kDenseColumns || numbers > core::limits::kDenseColumns)
    throw Error(fmt::format("pictures of {} channels of {} x {} are larger than a row of {} numbers", channels, height, width,
                            core::limits::kDenseColumns));
  return input(schema::Role::pixels, "pixel_values", ValueType::f32, static_cast<uint32_t>(numbers), images(), 0);
}

Value Graph::positions_3d() {
  return input(schema::Role::positions, "position_ids", ValueType::index, 3, tokens(), core::limits::kContext);
}

Value Graph::picture_rows(uint32_t columns) {
  return input(schema::Role::embeddings, "image_features", ValueType::f32, columns, patches(), 0);
}

Value Graph::places(format::Rows rows) {
  return input(schema::Role::image_positions, "image_places", ValueType::index, kPlaceColumns, rows, core::limits::kRowFactor + 1);
}

Value Graph::patchify(Value pictures, uint32_t channels, uint32_t height, uint32_t width, uint32_t patch) {
  const uint64_t count = patch == 0 ? 0 : uint64_t{height / patch} * (width / patch);
  if (count == 0 || count > core::limits::kRowFactor)
    throw Error(
        fmt::format("pictures of {} x {} make {} patches of {}, expected 1 to {}", height, width, count, patch, core::limits::kRowFactor));
  format::Rows more = rows(pictures);
  more.multiply *= static_cast<uint32_t>(count);
  Value out = add_value("patches", ValueType::f32, channels * patch * patch, more);
  operation(schema::Options::Patchify, schema::CreatePatchify(builder_, channels, height, width, patch), {pictures}, {out});
  return out;
}

Value Graph::join_rows(Value x, uint32_t count) { return join_squares(x, count, 0); }

Value Graph::split_rows(Value x, uint32_t count) {
  format::Rows more = rows(x);
  more.multiply *= count;
  Value out = add_value("cut rows", ValueType::f32, x.columns / count, more);
  operation(schema::Options::JoinRows, schema::CreateJoinRows(builder_, 1, count), {x}, {out});
  return out;
}

Value Graph::join_squares(Value x, uint32_t side, uint32_t grid_columns) {
  const uint32_t count = grid_columns == 0 ? side : side * side;
  format::Rows fewer = rows(x);
  if (fewer.multiply / fewer.divide % count != 0 || (grid_columns != 0 && grid_columns % side != 0))
    throw Error(fmt::format("{} rows cannot be joined in {}", fewer.multiply / fewer.divide, count));
  fewer.multiply = fewer.multiply / fewer.divide / count;
  fewer.divide = 1;
  Value out = add_value("joined rows", ValueType::f32, x.columns * count, fewer);
  operation(schema::Options::JoinRows, schema::CreateJoinRows(builder_, count, 1, grid_columns), {x}, {out});
  return out;
}

Value Graph::place_rows(Value x, Value ids, Value rows_of_pictures, uint32_t token_id, bool add) {
  expect_columns(current().value_names[rows_of_pictures.index], rows_of_pictures.columns, x.columns);
  Value out = add_value("with pictures", ValueType::f32, x.columns, rows(x));
  operation(schema::Options::PlaceRows, schema::CreatePlaceRows(builder_, token_id, add), {x, ids, rows_of_pictures}, {out});
  return out;
}

Value Graph::grid_embed(Value places, const std::string& table, uint32_t side) {
  const auto tensor = static_cast<int32_t>(weights_.matrix({table}, WeightRole::exact));
  Value out = add_value(table, ValueType::f32, weights_[static_cast<uint32_t>(tensor)].columns, rows(places));
  operation(schema::Options::GridEmbed, schema::CreateGridEmbed(builder_, tensor, side), {places}, {out}).tensor = tensor;
  return out;
}

Value Graph::grid_angles(Value places, uint32_t width, float base) {
  Value out = add_value("rotary angles", ValueType::f32, width, rows(places));
  schema::RotaryAnglesBuilder made(builder_);
  made.add_width(width);
  made.add_base(base);
  made.add_grid(true);
  operation(schema::Options::RotaryAngles, made.Finish(), {places}, {out});
  return out;
}

Value Graph::add_positions(Value x, const std::string& table, uint32_t count) {
  const uint32_t tensor = weights_.matrix({table}, WeightRole::exact, false, count);
  expect_columns("tensor " + table, weights_[tensor].columns, x.columns);
  Value at = positions(count, rows(x)), rows_of_table = add_value(table, ValueType::f32, x.columns, rows(x));
  operation(schema::Options::Embed, schema::CreateEmbed(builder_, static_cast<int32_t>(tensor)), {at}, {rows_of_table}).tensor =
      static_cast<int32_t>(tensor);
  return add(x, rows_of_table);
}

Value Graph::multiply_row(Value x, const std::string& row) {
  const auto tensor = static_cast<int32_t>(weights_.vector({row}, x.columns));
  Value out = add_value(row, ValueType::f32, x.columns, rows(x));
  auto made = schema::CreateBinaryConstant(builder_, schema::BinaryFunction::multiply, tensor);
  operation(schema::Options::BinaryConstant, made, {x}, {out}).tensor = tensor;
  return out;
}

Value Graph::linear_rows(Value x, const std::string& matrix, const std::string& bias, const RowRange& range, WeightRole role) {
  const uint32_t tensor = weights_.matrix({Source(matrix, range)}, role);
  return linear_of(x, tensor, static_cast<int32_t>(weights_.vector({Source(bias, range)}, weights_[tensor].rows)), matrix);
}

float Graph::scalar(const std::string& tensor) {
  const std::vector<float> numbers = weights_.read(tensor);
  if (numbers.size() != 1) throw Error(fmt::format("tensor {} has {} values, expected 1", tensor, numbers.size()));
  return numbers[0];
}

Value Graph::pool_token(Value x, Value ids, int32_t id) {
  Value out = add_value("pooled token", ValueType::f32, x.columns, sequences());
  operation(schema::Options::PoolToken, schema::CreatePoolToken(builder_, id), {x, ids}, {out});
  return out;
}

}  // namespace linnet::convert
