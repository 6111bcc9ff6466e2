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

BasePlace AdapterDraft::expect(const std::string& path, const std::string& kind) const {
  const std::optional<BasePlace> place = base_.find(path + "." + kind);
  if (!place) throw Error(fmt::format("the adapter has module {}, but {} has no {} of that name", path, base_.name(), kind));
  return *place;
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
  const BasePlace place = expect(path, "weight");
  if (!base_.readers(place.tensor).linear || place.use == Use::embedding)
    throw Error(fmt::format("module {} has a pair for a linear layer (tensor {}), but is none in {}", path, module.a, base_.name()));
  const uint32_t rank = expect_rank(path, module.a, module.b), columns = base_.tensor(place.tensor).columns;
  expect_shape(module.a, {rank, columns});
  expect_shape(module.b, {place.rows, rank});
  const double scale = config_.scale(path, rank);
  const std::vector<float> row_factors = base_.row_factors(place.tensor);

  DraftTarget target = target_at(place, TargetKind::low_rank);
  target.rank = rank;
  std::vector<float> a = file_.read(module.a), b = file_.read(module.b);
  see_input(place, &a);
  multiply_rows(&b, rank, row_factors, place.first_row, scale);
  target.a = store(path + ".lora_A", a, rank, columns);
  target.b = store(path + ".lora_B", b, place.rows, rank);
  if (!module.b_bias.empty()) {
    expect_shape(module.b_bias, {place.rows});
    std::vector<float> bias = file_.read(module.b_bias);
    multiply_rows(&bias, 1, row_factors, place.first_row, scale);
    target.bias = store(path + ".lora_B.bias", bias, 1, place.rows);
  }
  targets_.push_back(target);
}

void AdapterDraft::add_embedding(const std::string& path, const AdaptedModule& module) {
  const BasePlace place = expect(path, "weight");
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
  const BasePlace place = expect(path, "weight");
  const BaseReaders& readers = base_.readers(place.tensor);
  if (readers.vector) return add_vector(place, name, file_.read(name));
  if (!readers.linear && !readers.embedding)
    throw Error(fmt::format("tensor {} replaces the weights of {}, which nothing that takes adapters reads", name, path));
  const uint32_t columns = base_.tensor(place.tensor).columns;
  if (readers.embedding && shape(name).size() == 2 && shape(name)[0] != place.rows)
    throw Error(fmt::format("tensor {} resizes the vocabulary to {} tokens, {} has {}; convert a base that was resized and merged", name,
                            shape(name)[0], base_.name(), place.rows));
  // Linears of these bases are stored [in, out]; what was trained in full is stored alike.
  const bool turned_over = config_.fan_in_fan_out() && readers.linear && !readers.embedding && shape(name).size() == 2 &&
                           shape(name)[0] == columns && shape(name)[1] == place.rows;
  if (turned_over && place.rows == columns)
    throw Error(fmt::format("tensor {} is square, and fan_in_fan_out leaves open which side is which", name));
  if (!turned_over) expect_shape(name, {place.rows, columns});

  DraftTarget target = target_at(place, TargetKind::replacement);
  // A table that is also the head: trained in full, it is the embedding's or the head's copy; the base layer is both.
  if (!for_all && readers.linear && readers.embedding) target.use = place.use == Use::linear ? Use::linear : Use::embedding;
  std::vector<float> numbers = file_.read(name);
  if (turned_over) numbers = transposed(numbers, columns, place.rows);
  const Encoding encoding = is_seen_plainly(place) ? stored_encoding(file_.entries().at(name).type) : Encoding::f32;
  multiply_rows(&numbers, columns, base_.row_factors(place.tensor), place.first_row, 1);
  see_input(place, &numbers);
  target.b = store(path + ".weight", numbers, place.rows, columns, encoding);
  targets_.push_back(target);
}

void AdapterDraft::add_bias(const std::string& path, const std::string& name) {
  const BasePlace place = expect(path, "bias");
  if (!base_.readers(place.tensor).vector)
    throw Error(fmt::format("tensor {} replaces the bias of {}, which nothing that takes adapters reads", name, path));
  add_vector(place, name, file_.read(name));
}

void AdapterDraft::add_vector(const BasePlace& place, const std::string& name, std::vector<float> numbers) {
  expect_shape(name, {place.columns});
  auto [found, is_new] = vectors_.try_emplace(place.tensor);
  if (is_new) found->second = base_.numbers(place.tensor);
  const std::vector<float> factors = base_.column_factors(place.tensor);
  for (size_t i = 0; i < numbers.size(); ++i)
    found->second[place.first_column + i] = factors.empty() ? numbers[i] : numbers[i] * factors[place.first_column + i];
}

void AdapterDraft::finish() {
  for (const auto& [tensor, numbers] : vectors_) {
    DraftTarget target = target_at({tensor, 0, 1}, TargetKind::replacement);
    target.b = store(target.base, numbers, 1, target.base_columns);
    targets_.push_back(target);
  }
}

}  // namespace linnet::convert
