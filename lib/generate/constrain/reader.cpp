#include "generate/constrain/reader.h"

#include <algorithm>

#include "core/limits.h"
#include "core/memory.h"
#include "core/try.h"

namespace linnet::constrain {
namespace {

constexpr size_t kManyFrames = 1 << 14;  // then those that are out of use are dropped

template <class T, class... Arguments>
T* make(Arguments&&... arguments) {
  void* memory = core::allocate(sizeof(T));
  return memory ? new (memory) T(std::forward<Arguments>(arguments)...) : nullptr;
}

template <class T>
void destroy(T* object) {
  if (!object) return;
  object->~T();
  core::release(object);
}

// A workspace for the time of one call.
struct Loan {
  explicit Loan(Compiled& from) noexcept : compiled(from) {}
  ~Loan() { compiled.give(work); }
  Status take() noexcept {
    LINNET_ASSIGN(work, compiled.take());
    work->tidy();
    return {};
  }
  Compiled& compiled;
  Workspace* work = nullptr;
};

}  // namespace

Compiled::~Compiled() {
  destroy(spare.load());
  constrain::release(trie);
}

Result<Workspace*> Compiled::take() noexcept {
  if (Workspace* lent = spare.exchange(nullptr)) return lent;
  auto* made = make<Workspace>(program, *trie);
  if (!made) return Status::error(Code::out_of_memory, "no memory for the masks of a constraint");
  if (Status status = made->create(); !status.ok()) {
    destroy(made);
    return status;
  }
  return made;
}

void Compiled::give(Workspace* workspace) noexcept {
  Workspace* none = nullptr;
  if (workspace && !spare.compare_exchange_strong(none, workspace)) destroy(workspace);
}

void release(TokenTrie* trie) noexcept {
  if (trie && trie->release()) destroy(trie);
}

void release(Compiled* compiled) noexcept {
  if (compiled && compiled->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(compiled);
}

Result<Compiled*> compile_for(const Grammar& grammar, TokenTrie* trie) noexcept {
  LINNET_ASSIGN(Program program, compile(grammar, *trie));
  Spelling spelling(program, *trie);
  LINNET_ASSIGN(const Spelling::Gap gap, spelling.find_gap(program.start));
  if (gap.found)
    return Status::error(Code::invalid_argument, "the vocabulary cannot spell what is needed: no token continues with '%s'", gap.bytes);
  auto* compiled = make<Compiled>(std::move(program), trie);
  if (!compiled) return Status::error(Code::out_of_memory, "no memory for a constraint");
  Reader reader(compiled);
  Status status = reader.create();
  if (status.ok()) {
    Result<uint32_t> shortest = reader.remaining();
    if (!shortest.ok())
      status = std::move(shortest).status();
    else if (*shortest == kNone && compiled->program.costs[compiled->program.start] > core::limits::kConstraintShortest)
      status = Status::error(Code::invalid_argument, "the shortest text has more than %u bytes", core::limits::kConstraintShortest);
    else if (*shortest == kNone)
      status = Status::error(Code::invalid_argument, "too many parts in a row can be left out: the shortest text is not found in %u steps",
                             kExpansionSteps);
    else
      compiled->shortest = *shortest;
  }
  if (status.ok()) return compiled;
  release(compiled);
  return status;
}

Status Reader::create() noexcept {
  LINNET_TRY(frames_.create());
  return reset();
}

Status Reader::reset() noexcept {
  Expansion expansion(compiled_.program);
  LINNET_TRY(expansion.create());
  frames_.clear();
  threads_.clear();
  expansion.begin(&frames_);
  LINNET_TRY(expansion.add(compiled_.program.start, kBase));
  expansion.finish();
  for (const Thread& thread : expansion.threads())
    if (reach_of(compiled_.program, frames_, thread) <= core::limits::kConstraintDepth) LINNET_TRY(threads_.push(thread));
  may_end_ = expansion.left();
  ended_ = false;
  return {};
}

// Takes over threads and of their frames what is in use.
Status Reader::rebuild(const Frames& frames, std::span<const Thread> threads) noexcept {
  core::Array<uint32_t> chain;
  threads_.clear();
  for (const Thread& thread : threads) {
    chain.clear();
    for (uint32_t at = thread.frame; at != kBase; at = frames[at].parent) LINNET_TRY(chain.push(at));
    Thread own = {thread.node, kBase};
    for (; !chain.empty(); chain.pop()) {
      Frame frame = frames[chain.back()];
      frame.parent = own.frame;
      LINNET_ASSIGN(own.frame, frames_.push(frame));
    }
    LINNET_TRY(threads_.push(own));
  }
  return {};
}

Status Reader::copy(const Reader& other) noexcept {
  LINNET_TRY(frames_.create());
  LINNET_TRY(rebuild(other.frames_, {other.threads_.data(), other.threads_.size()}));
  may_end_ = other.may_end_;
  ended_ = other.ended_;
  return {};
}

Status Reader::allowed(uint32_t budget, std::span<uint64_t> bits) noexcept {
  const TokenTrie& trie = *compiled_.trie;
  if (bits.size() < (trie.vocabulary() + 63) / 64)
    return Status::error(Code::invalid_argument, "a mask of %zu bits for a vocabulary of %zu", bits.size() * 64, trie.vocabulary());
  std::fill(bits.begin(), bits.end(), uint64_t{0});
  const auto set = [&](int32_t id) { bits[static_cast<size_t>(id) / 64] |= uint64_t{1} << (id % 64); };
  if (may_end_)
    for (int32_t id : trie.eos()) set(id);
  if (ended_ || threads_.empty() || budget == 0) return {};
  Loan loan(compiled_);
  LINNET_TRY(loan.take());
  Walk walk(compiled_.program, trie, &frames_, loan.work);
  LINNET_TRY(walk.allow({threads_.data(), threads_.size()}, budget - 1, bits));
  for (uint64_t word : bits)
    if (word != 0) return {};
  LINNET_ASSIGN(const uint32_t needed, remaining_with(loan.work));
  if (needed != kNone && needed <= budget)
    return Status::error(Code::unsupported, "the text can be read in more ways than can be followed (%u)",
                         core::limits::kConstraintReadings);
  return Status::error(Code::invalid_argument, "%u tokens are not enough to end the text: it needs %u", budget, needed);
}

Status Reader::accept(int32_t id) noexcept {
  const TokenTrie& trie = *compiled_.trie;
  if (ended_) return Status::error(Code::invalid_argument, "token %d comes behind the end of the text", id);
  if (trie.is_eos(id)) {
    if (!may_end_) return Status::error(Code::invalid_argument, "the text cannot end here (token %d)", id);
    ended_ = true;
    return {};
  }
  const std::string_view token = trie.bytes(id);
  core::Array<Thread> after;
  bool ends = false;
  if (!token.empty()) {
    Loan loan(compiled_);
    LINNET_TRY(loan.take());
    Walk walk(compiled_.program, trie, &frames_, loan.work);
    LINNET_TRY(walk.follow({threads_.data(), threads_.size()}, token, &after, &ends));
  }
  if (after.empty() && !ends)
    return Status::error(Code::invalid_argument, "token %d cannot come here: the text may not go on with '%.*s'", id,
                         static_cast<int>(std::min<size_t>(token.size(), 32)), token.empty() ? "" : token.data());
  threads_.swap(after);
  may_end_ = ends;
  if (frames_.size() < kManyFrames) return {};
  Frames fresh(compiled_.program);
  LINNET_TRY(fresh.create());
  std::swap(fresh, frames_);
  after.swap(threads_);
  if (rebuild(fresh, {after.data(), after.size()}).ok()) return {};
  std::swap(fresh, frames_);  // without memory for it, all frames are kept
  after.swap(threads_);
  return {};
}

Result<uint32_t> Reader::remaining() noexcept {
  if (ended_ || may_end_) return uint32_t{0};
  Loan loan(compiled_);
  LINNET_TRY(loan.take());
  return remaining_with(loan.work);
}

Result<uint32_t> Reader::remaining_with(Workspace* work) noexcept {
  Walk walk(compiled_.program, *compiled_.trie, &frames_, work);
  return walk.tokens({threads_.data(), threads_.size()});
}

}  // namespace linnet::constrain
