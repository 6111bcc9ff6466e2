// Memory that runs out at the n-th allocation, for every n: an error, nothing lost, and the next attempt succeeds.
#include "core/failing_memory.h"
#include "generate/constrain/constraint_texts.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

Status write(Constraint constraint, const std::string& text) {
  uint64_t bits[8];
  uint32_t budget = constraint.shortest_tokens() + 8;
  for (char c : text) {
    LINNET_TRY(constraint.allowed(budget--, bits));
    LINNET_TRY(constraint.accept(1 + static_cast<uint8_t>(c)));
  }
  LINNET_ASSIGN(Constraint fork, constraint.fork());
  LINNET_ASSIGN([[maybe_unused]] const uint32_t left, fork.remaining_tokens());
  return constraint.reset();
}

Status use(const std::vector<uint8_t>& tables) {
  LINNET_ASSIGN(const Tokenizer tokenizer, text::create_tokenizer(tables.data(), tables.size()));
  const int32_t eos[] = {0};
  LINNET_ASSIGN(const ConstraintVocabulary vocabulary, ConstraintVocabulary::create(tokenizer, eos));
  LINNET_ASSIGN(Constraint schema,
                Constraint::from_schema(vocabulary, R"({"type":"object","properties":{"s":{"type":"string","maxLength":9},
      "n":{"type":"integer","minimum":5,"maximum":70}},"required":["s"]})"));
  LINNET_TRY(write(std::move(schema), "{\"s\":\"ab"));
  LINNET_ASSIGN(Constraint grammar,
                Constraint::from_grammar(vocabulary, "root ::= (\"a\" | x [b-d]){100,200}\nx ::= \"x\" x \"y\" | \"\""));
  return write(std::move(grammar), "axxyyb");
}

}  // namespace

TEST_CASE("memory that runs out anywhere while output is constrained is an error, and nothing is lost") {
  TokenizerDraft draft = draft_of(schema::TokenizerKind::byte_level_bpe, {"<end>"});
  for (int byte = 0; byte < 256; ++byte) draft.pieces.push_back(in_alphabet(std::string(1, static_cast<char>(byte))));
  draft.types.assign(draft.pieces.size(), TokenizerDraft::normal);
  draft.types[0] = TokenizerDraft::control;
  draft.decoder = {stage("byte_level")};
  const std::vector<uint8_t> tables = tables_of(draft);
  const size_t failures = fail_every_allocation([&] { return use(tables).code(); });
  CHECK(failures > 100);
  CHECK(use(tables).ok());
}
