// Added tokens: texts that become one id without passing the model. Those that are not normalized are looked for in the raw text, the
// others in the normalized text between them.
#pragma once

#include <span>

#include "linnet/tokenizer.h"
#include "text/normalizer.h"
#include "text/stretch.h"

namespace linnet::text {

class AddedTokens {
 public:
  /// Sorts the tokens and normalizes those that ask for it. Keeps a pointer to `table`.
  Status create(const schema::Tokenizer& table, const Normalizer& normalizer) noexcept;

  size_t size() const noexcept { return by_id_.size(); }
  /// Null where the id is none of them.
  const schema::AddedToken* find(int32_t id) const noexcept;
  /// -1 where no token is written so.
  int32_t id(std::string_view content) const noexcept;
  /// The number of ids up to the largest.
  size_t ids() const noexcept { return by_id_.empty() ? 0 : size_t{by_id_.back()->id()} + 1; }

  /// Where special tokens count: everywhere, or only where no data lies.
  struct Places {
    bool everywhere = true;
    const std::span<const TextSpan>* spans = nullptr;  // of the raw text; null: nowhere at all
  };

  struct Match {
    Span span;
    uint32_t resume = 0;                        // where the search for the next one begins
    const schema::AddedToken* token = nullptr;  // null: there is no further match
  };
  /// Which tokens are looked for. In a chat those that are special are looked for in the raw text, normalized or not: what lies where
  /// is known there alone.
  enum SetKind { kRaw, kNormalized, kChat };
  /// The first match that begins at or after `from`, the longest there. White space that it swallows belongs to it, but not what lies
  /// before `floor`.
  Match next(std::string_view text, size_t from, size_t floor, SetKind kind, const Places& places) const noexcept;
  bool none(SetKind kind) const noexcept { return sets_[kind].entries.empty(); }

 private:
  struct Entry {
    std::string_view content;
    const schema::AddedToken* token;
    uint32_t order;  // in the file
  };
  struct Set {
    core::Array<Entry> entries;  // by content, so that those with a common beginning stand together
    uint32_t starts[257] = {};   // the entries that begin with a byte
  };
  /// The longest entry at `at`, and the longest that counts there.
  struct Found {
    const Entry *any = nullptr, *counts = nullptr;
  };
  static Found longest(const Set& set, std::string_view text, size_t at, const Places& places) noexcept;
  Status normalize_content(const Normalizer& normalizer, const schema::AddedToken& token, Stretch* stretch) noexcept;

  core::Array<const schema::AddedToken*> by_id_;
  Bytes contents_;  // of the normalized tokens
  Set sets_[3];
};

}  // namespace linnet::text
