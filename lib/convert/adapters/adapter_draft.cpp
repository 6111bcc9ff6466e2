#include "convert/adapters/adapter_draft.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/limits.h"

namespace linnet::convert {

namespace {

using schema::TargetKind;
using schema::Use;

// [rows, columns] -> [columns, rows]
std::vector<float> transposed(const std::vector<float>& numbers, size_t rows, size_t columns) {
  std::vector<float> out(numbers.size());
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c) out[c * rows + r] = numbers[r * columns + c];
  return out;
}

void multiply_rows(std::vector<float>* numbers, size_t columns, const std::vector<float>& factors, size_t first, double all) {
  for (size_t i = 0; i < numbers->size(); ++i) {
    const double factor = factors.empty() ? 1.0 : static_cast<double>(factors[first + i / columns]);
    (*numbers)[i] = static_cast<float>((*numbers)[i] * factor * all);
  }
}

void multiply_columns(std::vector<float>* numbers, const std::vector<float>& factors) {
  for (size_t i = 0; i < numbers->size() && !factors.empty(); ++i) (*numbers)[i] *= factors[i % factors.size()];
}

// A module that is spread over several places has a tensor for each.
std::string numbered(const std::string& path, size_t place, size_t places) {
  return places == 1 ? path : fmt::format("{}[{}]", path, place);
}

Encoding stored_encoding(const std::string& type) {
  return type == "F16" ? Encoding::f16 : type == "BF16" ? Encoding::bf16 : Encoding::f32;
}

}  // namespace

void AdapterDraft::add(const std::string& path, const AdaptedModule& module) {
  if (base_.is_left_out(path + ".weight")) return;  // a pooler whose answer nobody asks for
  if (!module.a.empty()) add_pair(path, module);
  if (!module.embedding_a.empty()) add_embedding(path, module);
  if (!module.weight.empty()) add_weight(path, module.weight, false);
  if (!module.base_weight.empty()) add_weight(path, module.base_weight, true);
  if (!module.bias.empty()) add_bias(path, module.bias);
}

BaseSpread AdapterDraft::expect(const std::string& path, const std::string& kind) const {
  if (base_.is_in_table(path + "." + kind))
    throw Error(fmt::format("the adapter changes {}.{}, of which {} keeps a table by relative position: such adapters are not supported",
                            path, kind, base_.name()));
  const BaseSpread places = base_.find(path + "." + kind);
  if (places.empty()) throw Error(fmt::format("the adapter has module {}, but {} has no {} of that name", path, base_.name(), kind));
  return places;
}

void AdapterDraft::expect_shape(const std::string& name, const std::vector<uint64_t>& expected) const {
  if (shape(name) != expected)
    throw Error(fmt::format("tensor {} has shape [{}], expected [{}]", name, fmt::join(shape(name), ", "), fmt::join(expected, ", ")));
}

uint32_t AdapterDraft::expect_rank(const std::string& path, const std::string& a, const std::string& b) const {
  if (shape(a).size() != 2 || shape(a)[0] == 0 || shape(a)[0] > core::limits::kAdapterRank)
    throw Error(fmt::format("tensor {} has shape [{}], expected a matrix of 1 to {} rows", a, fmt::join(shape(a), ", "),
                            core::limits::kAdapterRank));
  const auto rank = static_cast<uint32_t>(shape(a)[0]);
  if (shape(b).size() != 2 || shape(b)[1] != rank)
    throw Error(
        fmt::format("tensor {} has shape [{}], expected a matrix of {} columns, the rank of {}", b, fmt::join(shape(b), ", "), rank, path));
  return rank;
}

int32_t AdapterDraft::store(const std::string& name, const std::vector<float>& numbers, uint32_t rows, uint32_t columns,
                            Encoding encoding) {
  tensors_.push_back({name, rows, columns, pack(name, numbers, rows, columns, 1, encoding)});
  return static_cast<int32_t>(tensors_.size() - 1);
}

DraftTarget AdapterDraft::target_at(const BasePlace& place, TargetKind kind) const {
  const format::Tensor& tensor = base_.tensor(place.tensor);
  DraftTarget target{.base = std::string(tensor.name),
                     .base_rows = tensor.rows,
                     .base_columns = tensor.columns,
                     .kind = kind,
                     .first_row = place.first_row,
                     .rows = place.rows};
  return target;
}

// Rows of A, or of a matrix, as they meet the layer's input: its columns were divided by factors, multiplied, turned.
void AdapterDraft::see_input(const BasePlace& place, std::vector<float>* rows) const {
  const BaseReaders& readers = base_.readers(place.tensor);
  multiply_columns(rows, base_.column_factors(place.tensor));
  if (readers.multiplier >= 0) {
    const std::vector<float> multiplier = base_.numbers(static_cast<uint32_t>(readers.multiplier));
    for (size_t i = 0; i < rows->size(); ++i) {
      if (multiplier[i % multiplier.size()] == 0)
        throw Error(fmt::format("tensor {}: its input is multiplied by 0, so that no adapter can see it", base_.tensor(place.tensor).name));
      (*rows)[i] /= multiplier[i % multiplier.size()];
    }
  }
  if (readers.turn != 0) turn_columns(*rows, base_.tensor(place.tensor).columns, readers.turn);
}

bool AdapterDraft::is_seen_plainly(const BasePlace& place) const {
  const BaseReaders& readers = base_.readers(place.tensor);
  return readers.turn == 0 && readers.multiplier < 0 && base_.column_factors(place.tensor).empty() &&
         base_.row_factors(place.tensor).empty();
}

void AdapterDraft::add_pair(const std::string& path, const AdaptedModule& module) {
  const BaseSpread places = expect(path, "weight");
  for (const BasePlace& place : places)
    if (!base_.readers(place.tensor).linear || place.use == Use::embedding)
      throw Error(fmt::format("module {} has a pair for a linear layer (tensor {}), but is none in {}", path, module.a, base_.name()));
  const uint32_t rank = expect_rank(path, module.a, module.b);
  expect_shape(module.a, {rank, base_.tensor(places[0].tensor).columns});
  expect_shape(module.b, {source_rows(places), rank});
  if (!module.b_bias.empty()) expect_shape(module.b_bias, {source_rows(places)});
  for (size_t i = 0; i < places.size(); ++i)
    add_pair_at(places[i], numbered(path, i, places.size()), module, config_.scale(path, rank), rank);
}

// Rows of B for one of the places over which a fused matrix is spread; each has all of A.
void AdapterDraft::add_pair_at(const BasePlace& place, const std::string& name, const AdaptedModule& module, double scale, uint32_t rank) {
  const std::vector<float> row_factors = base_.row_factors(place.tensor);
  DraftTarget target = target_at(place, TargetKind::low_rank);
  target.rank = rank;
  std::vector<float> a = file_.read(module.a), b = rows_at(place, file_.read(module.b), rank);
  see_input(place, &a);
  multiply_rows(&b, rank, row_factors, place.first_row, scale);
  target.a = store(name + ".lora_A", a, rank, base_.tensor(place.tensor).columns);
  target.b = store(name + ".lora_B", b, place.rows, rank);
  if (!module.b_bias.empty()) {
    std::vector<float> bias = rows_at(place, file_.read(module.b_bias), 1);
    multiply_rows(&bias, 1, row_factors, place.first_row, scale);
    target.bias = store(name + ".lora_B.bias", bias, 1, place.rows);
  }
  targets_.push_back(target);
}

void AdapterDraft::add_embedding(const std::string& path, const AdaptedModule& module) {
  const BasePlace place = expect(path, "weight").front();
  const format::Tensor& table = base_.tensor(place.tensor);
  if (!base_.readers(place.tensor).embedding || place.use == Use::linear)
    throw Error(
        fmt::format("module {} has a pair for an embedding (tensor {}), but is none in {}", path, module.embedding_a, base_.name()));
  const uint32_t rank = expect_rank(path, module.embedding_a, module.embedding_b);
  if (shape(module.embedding_a)[1] != table.rows)
    throw Error(fmt::format(
        "tensor {} is for a vocabulary of {} tokens, {} has {}; a vocabulary that the adapter resized needs a base of that size",
        module.embedding_a, shape(module.embedding_a)[1], base_.name(), table.rows));
  expect_shape(module.embedding_b, {table.columns, rank});

  DraftTarget target = target_at(place, TargetKind::embedding);
  target.rank = rank;
  std::vector<float> a = file_.read(module.embedding_a), b = file_.read(module.embedding_b);
  multiply_columns(&a, base_.row_factors(place.tensor));
  multiply_rows(&b, rank, base_.column_factors(place.tensor), 0, config_.scale(path, rank));
  target.a = store(path + ".lora_embedding_A", transposed(a, rank, table.rows), table.rows, rank);
  target.b = store(path + ".lora_embedding_B", b, table.columns, rank);
  targets_.push_back(target);
}

void AdapterDraft::add_weight(const std::string& path, const std::string& name, bool for_all) {
  const BaseSpread places = expect(path, "weight");
  const BaseReaders& readers = base_.readers(places[0].tensor);
  if (readers.vector) return add_vector(places, name);
  if (!readers.linear && !readers.embedding)
    throw Error(fmt::format("tensor {} replaces the weights of {}, which nothing that takes adapters reads", name, path));
  const uint32_t rows = source_rows(places), columns = base_.tensor(places[0].tensor).columns;
  if (readers.embedding && shape(name).size() == 2 && shape(name)[0] != rows)
    throw Error(fmt::format("tensor {} resizes the vocabulary to {} tokens, {} has {}; convert a base that was resized and merged", name,
                            shape(name)[0], base_.name(), rows));
  const bool turned_over = is_turned_over(places[0], name, rows, columns);
  expect_shape(name, turned_over ? std::vector<uint64_t>{columns, rows} : std::vector<uint64_t>{rows, columns});
  std::vector<float> numbers = file_.read(name);
  if (turned_over) numbers = transposed(numbers, columns, rows);
  for (size_t i = 0; i < places.size(); ++i)
    add_weight_at(places[i], numbered(path, i, places.size()), rows_at(places[i], numbers, columns), file_.entries().at(name).type,
                  for_all);
}

// Linears of some bases are stored [in, out]; what was trained in full is stored alike.
bool AdapterDraft::is_turned_over(const BasePlace& place, const std::string& name, uint32_t rows, uint32_t columns) const {
  const BaseReaders& readers = base_.readers(place.tensor);
  if (place.transposed || !config_.fan_in_fan_out() || !readers.linear || readers.embedding) return place.transposed;
  if (shape(name) != std::vector<uint64_t>{columns, rows}) return false;
  if (rows == columns) throw Error(fmt::format("tensor {} is square, and fan_in_fan_out leaves open which side is which", name));
  return true;
}

void AdapterDraft::add_weight_at(const BasePlace& place, const std::string& name, std::vector<float> numbers, const std::string& type,
                                 bool for_all) {
  const BaseReaders& readers = base_.readers(place.tensor);
  const uint32_t columns = base_.tensor(place.tensor).columns;
  DraftTarget target = target_at(place, TargetKind::replacement);
  // A table that is also the head: trained in full, it is the embedding's or the head's copy; the base layer is both.
  if (!for_all && readers.linear && readers.embedding) target.use = place.use == Use::linear ? Use::linear : Use::embedding;
  const Encoding encoding = is_seen_plainly(place) ? stored_encoding(type) : Encoding::f32;
  multiply_rows(&numbers, columns, base_.row_factors(place.tensor), place.first_row, 1);
  see_input(place, &numbers);
  target.b = store(name + ".weight", numbers, place.rows, columns, encoding);
  targets_.push_back(target);
}

void AdapterDraft::add_bias(const std::string& path, const std::string& name) {
  const BaseSpread places = expect(path, "bias");
  if (!base_.readers(places[0].tensor).vector)
    throw Error(fmt::format("tensor {} replaces the bias of {}, which nothing that takes adapters reads", name, path));
  add_vector(places, name);
}

void AdapterDraft::add_vector(const BaseSpread& places, const std::string& name) {
  expect_shape(name, {source_rows(places)});
  const std::vector<float> all = file_.read(name);
  for (const BasePlace& place : places) {
    auto [found, is_new] = vectors_.try_emplace(place.tensor);
    if (is_new) found->second = base_.numbers(place.tensor);
    const std::vector<float> factors = base_.column_factors(place.tensor), numbers = rows_at(place, all, 1);
    for (size_t i = 0; i < numbers.size(); ++i)
      found->second[place.first_column + i] = (numbers[i] + place.added) * (factors.empty() ? 1 : factors[place.first_column + i]);
  }
}

void AdapterDraft::finish() {
  for (const auto& [tensor, numbers] : vectors_) {
    DraftTarget target = target_at({tensor, 0, 1}, TargetKind::replacement);
    target.b = store(target.base, numbers, 1, target.base_columns);
    targets_.push_back(target);
  }
}

}  // namespace linnet::convert
