#include "convert/graph_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace linnet::convert {

namespace {

uint32_t narrow(const std::string& name, uint64_t size) {
  if (size == 0 || size > std::numeric_limits<int32_t>::max())
    throw Error(fmt::format("tensor {} has a dimension of {}, expected 1 to 2147483647", name, size));
  return static_cast<uint32_t>(size);
}

// Rows and columns of a tensor with any dimensions.
std::vector<uint64_t> matrix_shape(const SourceTensor& tensor, uint32_t rows) {
  uint64_t numbers = 1;
  for (uint64_t size : tensor.shape) numbers *= size;
  if (numbers % rows != 0) throw Error(fmt::format("tensor {} has {} values, expected a multiple of {}", tensor.name, numbers, rows));
  return {rows, numbers / rows};
}

}  // namespace

bool matches(const std::string& pattern, const std::string& text) {
  size_t p = 0, t = 0, star = std::string::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool is_quantized(Encoding encoding) { return encoding != Encoding::f32 && encoding != Encoding::f16 && encoding != Encoding::bf16; }

Encoding encoding_from_name(const std::string& name) {
  for (Encoding encoding : {Encoding::f32, Encoding::f16, Encoding::int8, Encoding::int4, Encoding::mxfp4})
    if (name == schema::EnumNameEncoding(encoding)) return encoding;
  throw Error(fmt::format("the encoding \"{}\" is not one that weights can be stored in (f32, f16, int8, int4, mxfp4)", name));
}

Weights::Weights(const Checkpoint& checkpoint, const Options& options) : checkpoint_(checkpoint), options_(options) {
  encoding_from_name(options_.weights);
  if (!options_.head.empty()) encoding_from_name(options_.head);
  for (const auto& [pattern, encoding] : options_.overrides) encoding_from_name(encoding);
}

void Weights::attach(const std::string& prefix, std::unique_ptr<Checkpoint> checkpoint) {
  attached_.emplace_back(prefix, std::move(checkpoint));
}

const Checkpoint& Weights::owner(const std::string& name, std::string* local) const {
  for (const auto& [prefix, checkpoint] : attached_) {
    if (name.rfind(prefix, 0) != 0) continue;
    *local = name.substr(prefix.size());
    return *checkpoint;
  }
  *local = name;
  return checkpoint_;
}

bool Weights::has(const std::string& name) const {
  std::string local;
  return owner(name, &local).has(local);
}

const SourceTensor& Weights::source(const std::string& name) const {
  std::string local;
  return owner(name, &local).tensor(local);
}

std::vector<float> Weights::read(const std::string& name) {
  std::string local;
  mark_used(name);
  return owner(name, &local).read(local);
}

std::string Weights::shared_with(const std::string& name) const {
  auto found = shared_.find(name);
  return found == shared_.end() ? "" : found->second;
}

Encoding Weights::choose(const std::string& name, const std::vector<Source>& sources, WeightRole role) {
  if (role == WeightRole::exact) return Encoding::f32;
  const std::string* chosen = nullptr;
  for (const auto& [pattern, encoding] : options_.overrides) {
    const std::string& wanted = pattern;
    bool hit =
        matches(wanted, name) || std::any_of(sources.begin(), sources.end(), [&](const Source& s) { return matches(wanted, s.tensor); });
    if (!hit) continue;
    matched_overrides_.insert(pattern);
    chosen = &encoding;
  }
  if (chosen) return encoding_from_name(*chosen);
  Encoding weights = encoding_from_name(options_.weights);
  if (role != WeightRole::embedding && keeps_mxfp4(sources)) return Encoding::mxfp4;
  if (role == WeightRole::classifier) return is_quantized(weights) ? Encoding::f16 : weights;
  bool outer = role == WeightRole::head || role == WeightRole::embedding;
  if (outer && !options_.head.empty()) return encoding_from_name(options_.head);
  const bool four_bits = weights == Encoding::int4 || weights == Encoding::mxfp4;
  if (role == WeightRole::source) return weights == Encoding::int8 ? Encoding::f16 : four_bits ? Encoding::int8 : weights;
  return four_bits && role != WeightRole::linear ? Encoding::int8 : weights;
}

// What is published in such floats is kept as it is wherever weights are rounded at all.
bool Weights::keeps_mxfp4(const std::vector<Source>& sources) const {
  if (sources.empty() || !is_quantized(encoding_from_name(options_.weights))) return false;
  return std::all_of(sources.begin(), sources.end(), [&](const Source& from) {
    const std::string& type = source(from.tensor).type;
    return type == "MXFP4" || type == "mxfp4";
  });
}

uint32_t Weights::add(Weight weight) {
  auto found = by_name_.find(weight.name);
  if (found != by_name_.end()) {
    ++weights_[found->second].uses;
    return found->second;
  }
  weight.uses = 1;
  by_name_[weight.name] = size();
  weights_.push_back(std::move(weight));
  return size() - 1;
}

// Of a source that has so many rows.
void Weights::resolve(Source* source, uint32_t rows) {
  if (source->rows.is_whole()) source->rows.rows = rows;
  if (source->rows.end() > rows) throw Error(fmt::format("tensor {} has {} rows, expected {}", source->tensor, rows, source->rows.end()));
  Used& used = used_[source->tensor];
  used.rows = rows;
  used.ranges.insert(source->rows);
}

// One more source, whose rows go below those that the matrix has.
void Weights::add_source(Source* from, Weight* weight, uint64_t* rows, uint32_t stored_rows) {
  const std::vector<uint64_t> shape = stored_rows ? matrix_shape(source(from->tensor), stored_rows) : source(from->tensor).shape;
  const bool stacked = from->matrix >= 0;
  if (shape.size() != (stacked ? 3 : 2))
    throw Error(
        fmt::format("tensor {} has {} dimensions, expected {}", from->tensor, shape.size(), stacked ? "a stack of matrices" : "a matrix"));
  const uint32_t out = narrow(from->tensor, shape[stacked + from->transposed]),
                 in = narrow(from->tensor, shape[stacked + !from->transposed]);
  if (weight->columns != 0 && in != weight->columns)
    throw Error(fmt::format("tensor {} has {} columns, expected {} like {}", from->tensor, in, weight->columns, weight->sources[0].tensor));
  weight->columns = in;
  if (stacked && static_cast<uint64_t>(from->matrix) >= shape[0])
    throw Error(fmt::format("tensor {} has {} matrices, expected {}", from->tensor, shape[0], from->matrix + 1));
  if (stacked) {
    if (from->rows.is_whole()) from->rows.rows = out;
    if (from->rows.end() > out) throw Error(fmt::format("tensor {} has {} rows, expected {}", from->tensor, out, from->rows.end()));
    mark_used(from->tensor);
  } else {
    resolve(from, out);
  }
  *rows += from->rows.total();
  weight->sources.push_back(*from);
}

// None for published four-bit floats, which turned would be others.
uint32_t Weights::turn_for(const Weight& weight) const {
  if (!options_.turn || !is_quantized(weight.encoding)) return 0;
  return weight.encoding == Encoding::mxfp4 && keeps_mxfp4(weight.sources) ? 0 : turn_block(weight.columns);
}

uint32_t Weights::matrix(std::vector<Source> sources, WeightRole role, bool turned, uint32_t stored_rows) {
  Weight weight;
  weight.name = joined_name(sources);
  uint64_t rows = 0;
  for (Source& from : sources) add_source(&from, &weight, &rows, stored_rows);
  weight.rows = narrow(weight.name, rows);
  weight.encoding = choose(weight.name, weight.sources, role);
  if (turned) weight.turn = turn_for(weight);
  return add(std::move(weight));
}

uint32_t Weights::stack(const std::string& name, const std::vector<std::vector<Source>>& matrices, bool turned) {
  Weight weight;
  weight.name = name;
  weight.count = static_cast<uint32_t>(matrices.size());
  for (const std::vector<Source>& sources : matrices) {
    uint64_t rows = 0;
    for (Source from : sources) {
      add_source(&from, &weight, &rows);
      if (const uint64_t stored = source(from.tensor).shape[0]; from.matrix >= 0 && stored != matrices.size())
        throw Error(fmt::format("tensor {} has {} matrices, expected {}", from.tensor, stored, matrices.size()));
    }
    if (&sources == &matrices.front()) weight.rows = narrow(name, rows);
    if (rows != weight.rows)
      throw Error(
          fmt::format("tensor {} makes a matrix of {} rows, expected {} as for the first expert", sources[0].tensor, rows, weight.rows));
  }
  weight.encoding = choose(name, weight.sources, WeightRole::linear);
  if (turned) weight.turn = turn_for(weight);
  return add(std::move(weight));
}

uint32_t Weights::vector(std::vector<Source> sources, uint32_t columns) {
  Weight weight;
  weight.name = joined_name(sources);
  weight.is_vector = true;
  uint64_t total = 0;
  for (Source& from : sources) {
    const std::vector<uint64_t>& shape = source(from.tensor).shape;
    if (!from.rows.is_whole() && shape.size() != 1)
      throw Error(fmt::format("tensor {} has {} dimensions, expected a vector", from.tensor, shape.size()));
    uint64_t length = 1;
    for (uint64_t size : shape) length *= size;
    resolve(&from, narrow(from.tensor, length));
    total += from.rows.total();
  }
  if (total != columns) throw Error(fmt::format("tensor {} has {} values, expected {}", weight.name, total, columns));
  weight.columns = columns;
  weight.sources = std::move(sources);
  return add(std::move(weight));
}

uint32_t Weights::values(const std::string& name, std::vector<float> numbers) {
  Weight weight;
  weight.name = name;
  // Other numbers under the same name are another tensor.
  for (int i = 2; by_name_.count(weight.name) != 0 && weights_[by_name_[weight.name]].values != numbers; ++i)
    weight.name = fmt::format("{} {}", name, i);
  weight.columns = narrow(name, numbers.size());
  weight.values = std::move(numbers);
  return add(std::move(weight));
}

uint32_t Weights::table(const std::string& name, uint32_t columns, std::vector<float> numbers) {
  const uint32_t index = values(name, std::move(numbers));
  weights_[index].rows = narrow(name, weights_[index].values.size() / columns);
  weights_[index].columns = columns;
  return index;
}

uint32_t Weights::computed(const std::string& name, uint32_t rows, std::vector<float> numbers, std::vector<std::string> made_of) {
  const uint32_t columns = narrow(name, numbers.size() / rows), index = table(name, columns, std::move(numbers));
  weights_[index].made_of = std::move(made_of);
  weights_[index].encoding = choose(name, {}, WeightRole::classifier);
  return index;
}

std::vector<std::string> Weights::unused() const {
  std::vector<std::string> names;
  auto collect = [&](const std::string& prefix, const Checkpoint& checkpoint) {
    for (const SourceTensor& tensor : checkpoint.tensors()) {
      const auto used = used_.find(prefix + tensor.name);
      uint64_t read = 0;
      if (used == used_.end()) names.push_back(prefix + tensor.name);
      if (used == used_.end() || used->second.all) continue;
      for (const RowRange& range : used->second.ranges) read += range.total();
      if (read < used->second.rows)
        names.push_back(fmt::format("{} ({} of its {} rows)", used->first, used->second.rows - read, used->second.rows));
    }
  };
  collect("", checkpoint_);
  for (const auto& [prefix, checkpoint] : attached_) collect(prefix, *checkpoint);
  return names;
}

void Weights::check_overrides() const {
  for (const auto& [pattern, encoding] : options_.overrides)
    if (matched_overrides_.count(pattern) == 0) throw Error(fmt::format("no tensor whose encoding can be chosen matches \"{}\"", pattern));
}

}  // namespace linnet::convert
