#include "linnet/constraint.h"

#include "core/memory.h"
#include "core/try.h"
#include "generate/constrain/grammar_text.h"
#include "generate/constrain/reader.h"
#include "generate/constrain/schema.h"

namespace linnet {

using constrain::Compiled;
using constrain::Grammar;
using constrain::Reader;
using constrain::TokenTrie;

Result<ConstraintVocabulary> ConstraintVocabulary::create(const Tokenizer& tokenizer, std::span<const int32_t> eos,
                                                          size_t model_vocabulary) noexcept {
  void* memory = core::allocate(sizeof(TokenTrie));
  if (!memory) return Status::error(Code::out_of_memory, "no memory for the tokens of a constraint");
  ConstraintVocabulary vocabulary(new (memory) TokenTrie());
  LINNET_TRY(vocabulary.trie_->create(tokenizer, eos, model_vocabulary));
  return vocabulary;
}

ConstraintVocabulary::ConstraintVocabulary(const ConstraintVocabulary& other) noexcept : trie_(other.trie_) { trie_->retain(); }
ConstraintVocabulary::ConstraintVocabulary(ConstraintVocabulary&& other) noexcept : trie_(std::exchange(other.trie_, nullptr)) {}
ConstraintVocabulary& ConstraintVocabulary::operator=(ConstraintVocabulary other) noexcept {
  std::swap(trie_, other.trie_);
  return *this;
}
ConstraintVocabulary::~ConstraintVocabulary() { constrain::release(trie_); }

size_t ConstraintVocabulary::size() const noexcept { return trie_->vocabulary(); }

Result<Constraint> Constraint::start(Compiled* compiled) noexcept {
  void* memory = core::allocate(sizeof(Reader));
  if (!memory) return Status::error(Code::out_of_memory, "no memory for a constraint");
  return Constraint(new (memory) Reader(compiled));
}

namespace {

// The reader holds its own reference; that of the compiler is given back.
struct Held {
  ~Held() { constrain::release(compiled); }
  Compiled* compiled;
};

}  // namespace

Result<Constraint> Constraint::from_schema(const ConstraintVocabulary& vocabulary, std::string_view schema) noexcept {
  LINNET_ASSIGN(const Grammar grammar, constrain::grammar_of_schema(schema));
  LINNET_ASSIGN(Compiled* const compiled, constrain::compile_for(grammar, vocabulary.trie_));
  const Held held{compiled};
  LINNET_ASSIGN(Constraint constraint, start(compiled));
  LINNET_TRY(constraint.reader_->create());
  return constraint;
}

Result<Constraint> Constraint::from_grammar(const ConstraintVocabulary& vocabulary, std::string_view text) noexcept {
  LINNET_ASSIGN(const Grammar grammar, constrain::parse_grammar(text));
  LINNET_ASSIGN(Compiled* const compiled, constrain::compile_for(grammar, vocabulary.trie_));
  const Held held{compiled};
  LINNET_ASSIGN(Constraint constraint, start(compiled));
  LINNET_TRY(constraint.reader_->create());
  return constraint;
}

Result<Constraint> Constraint::any_json(const ConstraintVocabulary& vocabulary) noexcept { return from_schema(vocabulary, "true"); }

Constraint::Constraint(Constraint&& other) noexcept : reader_(std::exchange(other.reader_, nullptr)) {}

Constraint& Constraint::operator=(Constraint&& other) noexcept {
  std::swap(reader_, other.reader_);
  return *this;
}

Constraint::~Constraint() {
  if (!reader_) return;
  reader_->~Reader();
  core::release(reader_);
}

Result<Constraint> Constraint::fork() const noexcept {
  LINNET_ASSIGN(Constraint other, start(&reader_->compiled()));
  LINNET_TRY(other.reader_->copy(*reader_));
  return other;
}

Status Constraint::reset() noexcept { return reader_->reset(); }
Status Constraint::allowed(uint32_t budget, std::span<uint64_t> bits) noexcept { return reader_->allowed(budget, bits); }
Status Constraint::accept(int32_t id) noexcept { return reader_->accept(id); }
bool Constraint::may_end() const noexcept { return reader_->may_end(); }
bool Constraint::finished() const noexcept { return reader_->finished(); }
uint32_t Constraint::shortest_tokens() const noexcept { return reader_->compiled().shortest; }
Result<uint32_t> Constraint::remaining_tokens() noexcept { return reader_->remaining(); }

}  // namespace linnet
