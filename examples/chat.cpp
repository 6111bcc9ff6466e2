// A conversation with a model's own chat template: what the person types, and the answer as it comes.
//   chat MODEL.linnet
#include <cstdio>
#include <iostream>
#include <string>

#include "linnet/conversation.h"

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: chat MODEL.linnet\n"), 2;
  linnet::Result<linnet::Model> model = linnet::Model::open(argv[1]);
  if (!model.ok()) return std::fprintf(stderr, "%s\n", model.status().message()), 1;

  linnet::ConversationOptions options;
  options.forget_oldest = true;
  options.generate.on_token = [](void*, const linnet::NewToken& token) {
    return std::fwrite(token.piece.data(), 1, token.piece.size(), stdout), std::fflush(stdout) == 0;
  };
  linnet::Result<linnet::Conversation> conversation = linnet::Conversation::create(*model, options);
  if (!conversation.ok()) return std::fprintf(stderr, "%s\n", conversation.status().message()), 1;

  for (std::string line; std::printf("> "), std::fflush(stdout), std::getline(std::cin, line);) {
    linnet::Status added = conversation->add("user", line);
    if (!added.ok()) return std::fprintf(stderr, "%s\n", added.message()), 1;
    const linnet::Result<linnet::Reply> reply = conversation->reply();
    if (!reply.ok()) return std::fprintf(stderr, "%s\n", reply.status().message()), 1;
    std::printf("\n");
  }
  return 0;
}
