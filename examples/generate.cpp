// Writes on from a text: generate MODEL.linnet "Once upon a time"
#include "linnet/generate.h"

#include <cstdio>

namespace {

bool print(void*, const linnet::NewToken& token) {
  std::fwrite(token.piece.data(), 1, token.piece.size(), stdout);
  return std::fflush(stdout) == 0;
}

linnet::Status write_on(const char* path, const char* prompt) {
  linnet::Result<linnet::Model> model = linnet::Model::open(path);
  if (!model.ok()) return std::move(model).status();
  linnet::Result<linnet::Tokenizer> tokenizer = linnet::Tokenizer::create(*model);
  if (!tokenizer.ok()) return std::move(tokenizer).status();

  linnet::Limits limits;
  limits.context = 256;
  linnet::Result<linnet::Plan> plan = linnet::plan(*model, limits);
  if (!plan.ok()) return std::move(plan).status();
  std::fprintf(stderr, "a session takes %llu bytes\n", static_cast<unsigned long long>(plan->arena()));
  linnet::Result<linnet::Session> session = linnet::Session::create(*model, *plan);
  if (!session.ok()) return std::move(session).status();
  linnet::Result<linnet::SequenceId> sequence = session->add();
  if (!sequence.ok()) return std::move(sequence).status();

  linnet::Ids ids, written;
  if (linnet::Status status = tokenizer->encode(prompt, {}, &ids); !status.ok()) return status;
  linnet::GenerateOptions options;
  options.eos = model->generation().eos;
  options.on_token = print;
  options.tokenizer = &*tokenizer;
  return linnet::generate(*session, *model, *sequence, {ids.data(), ids.size()}, options, &written).status();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return std::fprintf(stderr, "usage: generate MODEL.linnet TEXT\n"), 2;
  linnet::Status status = write_on(arguments[1], arguments[2]);
  if (!status.ok()) return std::fprintf(stderr, "generate: %s\n", status.message()), 1;
  return std::printf("\n") < 0;
}
