#include "tasks/text_encoder.h"

#include <algorithm>
#include <cstring>

#include "core/try.h"
#include "text/tokenizer_impl.h"

namespace linnet::tasks {
namespace {

constexpr uint32_t kDefaultTokens = 512;
constexpr uint32_t kDefaultBatch = 1024;

struct Place {
  size_t program;
  PortInfo port;
};

Result<Place> find_output(const Model& model, std::span<const std::string_view> roles) {
  for (std::string_view role : roles)
    for (size_t p = 0; p < model.programs(); ++p)
      for (size_t o = 0; o < model.program(p).outputs; ++o) {
        PortInfo port = model.output(p, o);
        if (port.role == role && port.rows == "sequences") return Place{p, port};
      }
  std::string_view task = model.task();
  return Status::error(Code::unsupported, "the model gives no '%.*s' for a whole text; its task is %.*s", static_cast<int>(roles[0].size()),
                       roles[0].data(), static_cast<int>(task.size()), task.data());
}

bool has_input(const Model& model, size_t program, std::string_view role) {
  for (size_t i = 0; i < model.program(program).inputs; ++i)
    if (model.input(program, i).role == role) return true;
  return false;
}

}  // namespace

Result<TextEncoder> TextEncoder::create(const Model& model, const TaskOptions& options, std::span<const std::string_view> roles) noexcept {
  LINNET_ASSIGN(Place place, find_output(model, roles));
  ProgramInfo program = model.program(place.program);
  if (!has_input(model, place.program, "token_ids"))
    return Status::error(Code::unsupported, "the model reads no text: its program has no input of token ids");
  uint32_t most = program.max_positions ? program.max_positions : kDefaultTokens;
  if (options.max_tokens > most)
    return Status::error(Code::invalid_argument, "max_tokens is %u but the model was made for %u positions", options.max_tokens, most);
  LINNET_ASSIGN(Tokenizer tokenizer, Tokenizer::create(model));
  const uint32_t own = tokenizer.impl().table->max_length();
  uint32_t max_tokens = options.max_tokens ? options.max_tokens : std::min(most, own > 0 ? own : kDefaultTokens);

  Limits limits;
  limits.context = max_tokens;
  limits.batch_tokens = std::max(max_tokens, options.batch_tokens ? options.batch_tokens : kDefaultBatch);
  limits.sequences = std::max(options.batch_texts, 1u);
  limits.threads = options.threads;
  limits.isa = options.isa;
  if (options.adapter) {
    limits.adapters = 1;
    limits.adapter_rank = options.adapter->rank();
  }
  LINNET_ASSIGN(Plan planned, plan(model, limits));
  LINNET_ASSIGN(Session session, Session::create(model, planned));
  AdapterId adapter = kNoAdapter;
  if (options.adapter) {
    LINNET_ASSIGN(adapter, session.attach(*options.adapter));
  }
  TextEncoder encoder(model.share(), std::move(tokenizer), std::move(session));
  encoder.adapter_ = adapter;
  encoder.program_ = program.name;
  encoder.output_ = place.port.name;
  encoder.columns_ = place.port.columns;
  encoder.max_tokens_ = max_tokens;
  encoder.with_types_ = has_input(model, place.program, "token_types");
  LINNET_TRY(encoder.inputs_.reserve(limits.sequences));
  return encoder;
}

Status TextEncoder::encode(std::string_view text, const std::string_view* pair) noexcept {
  if (!prompt_.empty()) {
    text_.clear();
    LINNET_TRY(text_.append(prompt_.data(), prompt_.size()));
    LINNET_TRY(text_.append(text.data(), text.size()));
    text = view(text_);
  }
  Tokenizer::EncodeOptions options;
  options.max_tokens = max_tokens_;
  size_t before = ids_.size();
  if (pair) {
    LINNET_TRY(tokenizer_.encode_pair(text, *pair, options, &ids_, &types_));
  } else {
    LINNET_TRY(tokenizer_.encode(text, options, &ids_));
    for (int32_t zero = 0; types_.size() < ids_.size();) LINNET_TRY(types_.append(&zero, 1));
  }
  if (ids_.size() == before) return Status::error(Code::invalid_argument, "text %zu has no tokens", ends_.size());
  return ends_.push(ids_.size());
}

Status TextEncoder::run_batch(size_t first, size_t last) noexcept {
  inputs_.clear();
  for (size_t i = first; i < last; ++i) {
    size_t begin = i ? ends_[i - 1] : 0;
    Input input;
    input.sequence = static_cast<SequenceId>(i - first);
    input.tokens = {ids_.data() + begin, ends_[i] - begin};
    if (with_types_) input.token_types = {types_.data() + begin, ends_[i] - begin};
    input.adapter = adapter_;
    LINNET_TRY(inputs_.push(input));
  }
  RunOptions all;
  all.outputs = RunOptions::Outputs::all;
  LINNET_TRY(session_.run(program_, {inputs_.data(), inputs_.size()}, all));
  LINNET_ASSIGN(Matrix matrix, session_.output(output_));
  if (matrix.rows != last - first || matrix.columns != columns_)
    return Status::error(Code::unsupported, "the model gives %zu rows for %zu texts, expected one for each", matrix.rows, last - first);
  std::memcpy(rows_.data() + first * columns_, matrix.data, (last - first) * columns_ * sizeof(float));
  return {};
}

Result<Matrix> TextEncoder::run(std::span<const std::string_view> texts, std::span<const std::string_view> pairs) noexcept {
  if (!pairs.empty() && pairs.size() != texts.size())
    return Status::error(Code::invalid_argument, "%zu texts but %zu second texts", texts.size(), pairs.size());
  ids_.clear();
  types_.clear();
  ends_.clear();
  for (size_t i = 0; i < texts.size(); ++i) LINNET_TRY(encode(texts[i], pairs.empty() ? nullptr : &pairs[i]));
  LINNET_TRY(rows_.resize(texts.size() * columns_));

  const Limits& limits = session_.plan().limits();
  for (size_t first = 0; first < texts.size();) {
    size_t begin = first ? ends_[first - 1] : 0;
    size_t last = first + 1;
    while (last < texts.size() && last - first < limits.sequences && ends_[last] - begin <= limits.batch_tokens) ++last;
    LINNET_TRY(run_batch(first, last));
    first = last;
  }
  return Matrix{rows_.data(), texts.size(), columns_};
}

}  // namespace linnet::tasks
