#include "generate/speculation.h"

#include <algorithm>
#include <cmath>

#include "runtime/session_impl.h"

namespace linnet::generation {
namespace {

// Whoever cancels the writing stops the draft's run as well.
class CancelledToo {
 public:
  CancelledToo(Session& session, const std::atomic<bool>& cancelled) noexcept : session_(session.impl()) {
    session_.also_cancelled = &cancelled;
  }
  CancelledToo(const CancelledToo&) = delete;
  ~CancelledToo() { session_.also_cancelled = nullptr; }

 private:
  Session::Impl& session_;
};

}  // namespace

Result<DraftModel> DraftModel::create(Session& session, const Model& model, size_t vocabulary) noexcept {
  if (&model.file() != &session.impl().file()) return Status::error(Code::mismatch, "the draft's session was made for another model");
  LINNET_ASSIGN(Autoregressive program, find_autoregressive(model));
  if (program.reads_source()) return Status::error(Code::unsupported, "the draft model writes from a source, which a draft does not have");
  if (program.vocabulary != vocabulary)
    return Status::error(Code::invalid_argument, "the draft model has a vocabulary of %zu, the model one of %zu", program.vocabulary,
                         vocabulary);
  LINNET_ASSIGN(SequenceId sequence, session.add());
  DraftModel draft(session, program, sequence);
  LINNET_TRY(draft.held_.reserve(session.plan().limits().context));
  return draft;
}

DraftModel::DraftModel(DraftModel&& other) noexcept
    : session_(std::exchange(other.session_, nullptr)),
      program_(other.program_),
      sequence_(other.sequence_),
      held_(std::move(other.held_)) {}

DraftModel::~DraftModel() {
  if (session_) (void)session_->remove(sequence_);  // it is alive
}

// Makes the sequence hold `context`, so that its last run gave the logits behind it. What it holds already and agrees is kept.
Status DraftModel::read(std::span<const int32_t> context) noexcept {
  size_t agreed = static_cast<size_t>(std::mismatch(context.begin(), context.end(), held_.begin(), held_.end()).first - context.begin());
  agreed = std::min(agreed, context.size() - 1);
  uint32_t surplus = static_cast<uint32_t>(held_.size() - agreed);
  if (!session_->rewind(sequence_, surplus).ok()) {  // a window no longer holds what is seen there
    agreed = 0;
    LINNET_TRY(session_->rewind(sequence_, static_cast<uint32_t>(held_.size())));
  }
  while (held_.size() > agreed) held_.pop();
  Input input;
  input.sequence = sequence_;
  input.tokens = context.subspan(agreed);
  if (Status status = session_->prefill(program_.program, input); !status.ok()) {
    // Where a window does not let it go back, it begins anew.
    if (const uint32_t length = session_->length(sequence_); length != agreed) {
      (void)session_->rewind(sequence_, length);  // all can be taken back
      held_.clear();
    }
    return status;
  }
  for (int32_t id : input.tokens) LINNET_TRY(held_.push(id));  // reserved at create
  return {};
}

Result<size_t> DraftModel::propose(std::span<const int32_t> context, std::span<int32_t> out, const std::atomic<bool>& cancelled) noexcept {
  const uint32_t room = session_->plan().limits().context;
  if (context.size() + 1 > room || out.empty()) return size_t{0};
  const CancelledToo together(*session_, cancelled);
  LINNET_TRY(read(context));
  for (size_t i = 0;; ++i) {
    LINNET_ASSIGN(Matrix logits, session_->output(program_.logits));
    if (logits.rows == 0) return Status::error(Code::unsupported, "the draft model gives no logits for the last token");
    const std::span<const float> row = logits.row(logits.rows - 1);
    const auto lower = [](float a, float b) { return std::isnan(a) ? !std::isnan(b) : a < b; };
    out[i] = static_cast<int32_t>(std::max_element(row.begin(), row.end(), lower) - row.begin());
    if (i + 1 == out.size() || held_.size() + 1 > room) return i + 1;
    Input input;
    input.sequence = sequence_;
    input.tokens = {&out[i], 1};
    LINNET_TRY(session_->run(program_.program, {&input, 1}));
    LINNET_TRY(held_.push(out[i]));
  }
}

Result<Speculator> Speculator::create(const Speculation& options, const Session& session, const Autoregressive& program) noexcept {
  const Limits& limits = session.plan().limits();
  if (options.lookup && options.draft)
    return Status::error(Code::invalid_argument, "drafts come from the text (lookup) or from a draft model, not from both");
  if ((options.draft == nullptr) != (options.draft_model == nullptr))
    return Status::error(Code::invalid_argument, "a draft needs both its session and its model");
  if (options.most == 0 || options.most > kMost)
    return Status::error(Code::invalid_argument, "speculation.most is %u, expected 1 to %zu drafts", options.most, kMost);
  if (limits.outputs < 2)
    return Status::error(Code::invalid_argument, "speculation needs limits.outputs of 2 or more (drafts and one), planned is %u",
                         limits.outputs);
  size_t most = std::min<size_t>({options.most, limits.outputs - 1, limits.batch_tokens - 1});
  // What was wrong is taken back, which a window allows only as far as the plan says.
  for (const plan_detail::Retention& retention : session.impl().planned().retentions)
    if (retention.window) most = std::min<size_t>(most, limits.rewind);
  // A step's angles depend on how long the text is at that step: several steps in one run would have those of the longest.
  if (program.depends_on_length) most = 0;
  Speculator speculator(most, options.adaptive);
  speculator.cancelled_ = &session.impl().cancelled;
  speculator.use_lookup_ = options.lookup;
  speculator.capacity_ = limits.context;
  if (options.draft) {
    LINNET_ASSIGN(DraftModel model, DraftModel::create(*options.draft, *options.draft_model, program.vocabulary));
    speculator.model_.emplace(std::move(model));
  }
  return speculator;
}

// Brings the lookup to the end of the text.
Status Speculator::follow(uint32_t text, std::span<const int32_t> ids) noexcept {
  if (text_ != text || !lookup_ || ids.size() > capacity_) {
    lookup_.reset();
    if (ids.size() > capacity_) capacity_ = 2 * ids.size();  // contexts that slide
    LINNET_ASSIGN(Lookup made, Lookup::create(capacity_));
    lookup_.emplace(std::move(made));
    text_ = text;
    followed_ = 0;
  }
  lookup_->add(ids.subspan(followed_));
  followed_ = ids.size();
  return {};
}

Result<std::span<const int32_t>> Speculator::propose(uint32_t text, std::span<const int32_t> ids, std::span<const int32_t> context,
                                                     size_t room) noexcept {
  using Drafts = std::span<const int32_t>;
  room = std::min(room, most_);
  if (room == 0) return Drafts();
  if (model_) {
    LINNET_ASSIGN(size_t count, model_->propose(context, {drafts_, policy_.drafts(room)}, *cancelled_));
    return Drafts(drafts_, count);
  }
  if (!use_lookup_) return Drafts();
  LINNET_TRY(follow(text, ids));
  size_t match = 0;
  return Drafts(drafts_, policy_.drafts(lookup_->propose({drafts_, room}, &match)));
}

}  // namespace linnet::generation
