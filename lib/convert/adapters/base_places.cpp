#include "convert/adapters/base_places.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <sstream>

#include "convert/error.h"

namespace linnet::convert {

namespace {

using schema::Options;

std::string metadata(const format::ModelFile& base, const std::string& key) {
  if (!base.root().metadata()) return "";
  for (const schema::KeyValue* entry : *base.root().metadata())
    if (entry->key()->str() == key) return entry->value()->str();
  return "";
}

std::vector<float> dense(const flatbuffers::Vector<const schema::Factor*>* factors, uint32_t size) {
  if (!factors || factors->size() == 0) return {};
  std::vector<float> all(size, 1.0f);
  for (const schema::Factor* factor : *factors) all[factor->index()] = factor->factor();
  return all;
}

// Parts that follow each other in the same tensor are one place.
void grow(BaseSpread* places, const BasePlace& part) {
  if (!places->empty()) {
    BasePlace& last = places->back();
    const bool same = last.tensor == part.tensor && last.use == part.use && last.transposed == part.transposed && last.added == part.added;
    const bool below =
        last.first_row + last.rows == part.first_row && last.first_column == part.first_column && last.columns == part.columns;
    const bool beside = last.first_column + last.columns == part.first_column && last.first_row == part.first_row && last.rows == part.rows;
    if (same && (below || beside)) {
      (below ? last.rows : last.columns) += below ? part.rows : part.columns;
      last.runs.insert(last.runs.end(), part.runs.begin(), part.runs.end());
      return;
    }
  }
  places->push_back(part);
}

// Whether a name is among others, whichever of the two has the model's own prefix.
bool is_among(const std::set<std::string>& names, const std::string& name) {
  const size_t dot = name.find('.');
  if (names.count(name) != 0 || (dot != std::string::npos && names.count(name.substr(dot + 1)) != 0)) return true;
  return std::any_of(names.begin(), names.end(), [&](const std::string& other) { return other.substr(other.find('.') + 1) == name; });
}

}  // namespace

uint32_t source_rows(const BaseSpread& places) {
  uint32_t rows = 0;
  for (const BasePlace& place : places)
    for (const BasePlace::Run& run : place.runs) rows = std::max(rows, run.first + run.count);
  return rows;
}

std::vector<float> rows_at(const BasePlace& place, const std::vector<float>& numbers, size_t width) {
  std::vector<float> rows;
  for (const BasePlace::Run& run : place.runs) {
    const auto first = numbers.begin() + static_cast<ptrdiff_t>(run.first * width);
    rows.insert(rows.end(), first, first + static_cast<ptrdiff_t>(run.count * width));
  }
  return rows;
}

BasePlaces::BasePlaces(const format::ModelFile& base) : base_(base), readers_(base.tensors().size()) {
  const std::string weights = metadata(base, "weights");
  if (!base.root().factors_stored() && weights != "f32" && weights != "f16")
    throw Error(fmt::format("{}: the file was made before factors were written down with its tensors; convert the model again", name()));
  collect_parts();
  std::istringstream left_out(metadata(base, "left out"));
  for (std::string word; left_out >> word;) left_out_.insert(word.back() == ',' ? word.substr(0, word.size() - 1) : word);
  for (const format::Program& program : base.programs()) collect_readers(program);
}

std::string BasePlaces::name() const {
  const std::string source = metadata(base_, "source");
  return source.empty() ? "the base" : source;
}

void BasePlaces::add(const std::string& source, const BasePlace& place) {
  grow(&places_[source], place);
  const size_t dot = source.find('.');
  if (dot != std::string::npos) grow(&without_prefix_[source.substr(dot + 1)], place);
}

void BasePlaces::collect_parts() {
  for (uint32_t i = 0; i < base_.tensors().size(); ++i) {
    const format::Tensor& whole = tensor(i);
    if (!table(i).parts()) {
      add(std::string(whole.name), {i, 0, whole.rows, 0, whole.columns, schema::Use::every, false, 0, {{0, whole.rows}}});
      continue;
    }
    for (const schema::Part* part : *table(i).parts()) {
      const uint32_t columns = part->columns() ? part->columns() : whole.columns;
      add(part->source()->str(), {i,
                                  part->first_row(),
                                  part->rows(),
                                  part->first_column(),
                                  columns,
                                  part->use(),
                                  part->transposed(),
                                  part->added(),
                                  {{part->source_row(), part->columns() ? columns : part->rows()}}});
    }
  }
}

void BasePlaces::collect_readers(const format::Program& program) {
  std::map<uint32_t, const format::Node*> writers;
  auto note_vector = [&](int32_t index) {
    if (index >= 0) readers_[static_cast<size_t>(index)].vector = true;
  };
  for (const format::Node& node : program.nodes) {
    for (uint32_t value : node.outputs) writers[value] = &node;
    if (node.type == Options::Embed) readers_[static_cast<size_t>(node.as<schema::Embed>().tensor())].embedding = true;
    if (node.type == Options::Norm) {
      note_vector(node.as<schema::Norm>().weight_tensor());
      note_vector(node.as<schema::Norm>().bias_tensor());
    }
    if (node.type == Options::Attention) {
      note_table(node.as<schema::Attention>().relative_keys_tensor());
      note_table(node.as<schema::Attention>().relative_queries_tensor());
    }
    if (node.type != Options::Linear) continue;
    note_vector(node.as<schema::Linear>().bias_tensor());
    note_linear(program, writers, node);
  }
}

void BasePlaces::note_table(int32_t tensor) {
  if (tensor < 0 || !table(static_cast<uint32_t>(tensor)).parts()) return;
  for (const schema::Part* part : *table(static_cast<uint32_t>(tensor)).parts()) in_tables_.insert(part->source()->str());
}

void BasePlaces::note_linear(const format::Program& program, const std::map<uint32_t, const format::Node*>& writers,
                             const format::Node& node) {
  const auto& linear = node.as<schema::Linear>();
  if (linear.transposed()) return;
  BaseReaders now = readers_[static_cast<size_t>(linear.tensor())];
  now.turn = 0;
  now.multiplier = -1;
  const auto writer = writers.find(node.inputs[0]);
  if (program.values[node.inputs[0]].type == schema::ValueType::q8 && writer != writers.end() &&
      writer->second->type == Options::Quantize) {
    now.turn = writer->second->as<schema::Quantize>().turn();
    now.multiplier = writer->second->as<schema::Quantize>().multiplier_tensor();
  }
  BaseReaders& before = readers_[static_cast<size_t>(linear.tensor())];
  if (before.linear && (before.turn != now.turn || before.multiplier != now.multiplier))
    throw Error(fmt::format("{}: tensor {} has two inputs that are prepared differently", name(),
                            tensor(static_cast<uint32_t>(linear.tensor())).name));
  before = now;
  before.linear = true;
}

BaseSpread BasePlaces::find(const std::string& name) const {
  if (auto found = places_.find(name); found != places_.end()) return found->second;
  const size_t dot = name.find('.');
  if (dot != std::string::npos)
    if (auto found = places_.find(name.substr(dot + 1)); found != places_.end()) return found->second;
  if (auto found = without_prefix_.find(name); found != without_prefix_.end()) return found->second;
  return {};
}

bool BasePlaces::is_left_out(const std::string& name) const { return is_among(left_out_, name); }
bool BasePlaces::is_in_table(const std::string& name) const { return is_among(in_tables_, name); }

std::vector<float> BasePlaces::row_factors(uint32_t index) const { return dense(table(index).row_factors(), tensor(index).rows); }
std::vector<float> BasePlaces::column_factors(uint32_t index) const { return dense(table(index).column_factors(), tensor(index).columns); }

std::vector<float> BasePlaces::numbers(uint32_t index) const {
  std::vector<float> all(tensor(index).columns);
  std::memcpy(all.data(), tensor(index).data, all.size() * sizeof(float));
  return all;
}

}  // namespace linnet::convert
