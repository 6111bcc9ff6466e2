// Opens a model with the installed library, plans, runs it and prints the shape of the answer, and whether there are chat templates.
#include <linnet/chat.h>
#include <linnet/session.h>

#include <cstdio>

namespace {

linnet::Status run(const char* path) {
  linnet::Result<linnet::Model> model = linnet::Model::open(path);
  if (!model.ok()) return std::move(model).status();
  linnet::Limits limits;
  limits.context = 4;
  linnet::Result<linnet::Plan> plan = linnet::plan(*model, limits);
  if (!plan.ok()) return std::move(plan).status();
  linnet::Result<linnet::Session> session = linnet::Session::create(*model, *plan);
  if (!session.ok()) return std::move(session).status();
  linnet::Result<linnet::SequenceId> sequence = session->add();
  if (!sequence.ok()) return std::move(sequence).status();
  const int32_t tokens[] = {1, 2, 3};
  linnet::Input input;
  input.sequence = *sequence;
  input.tokens = tokens;
  if (linnet::Status status = session->run(model->program(0).name, {&input, 1}); !status.ok()) return status;
  linnet::Result<linnet::Matrix> logits = session->output("logits");
  if (!logits.ok()) return std::move(logits).status();
  std::printf("%zu x %zu\n", logits->rows, logits->columns);
  const linnet::Result<linnet::ChatTemplate> chat = linnet::ChatTemplate::compile("{{ messages }}");
  if (!chat.ok() && chat.status().code() != linnet::Code::unsupported) return linnet::Status::error(chat.status().code(), "no chat template");
  std::printf("%s\n", chat.ok() ? "chat templates" : chat.status().message());
  return {};
}

}  // namespace

int main(int count, char** arguments) {
  linnet::Status status =
      count == 2 ? run(arguments[1]) : linnet::Status::error(linnet::Code::invalid_argument, "one model file is expected");
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message());
  return status.ok() ? 0 : 1;
}
