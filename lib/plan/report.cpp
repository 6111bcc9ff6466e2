// A plan as text, as JSON and as a drawing.
#include "linnet/report.h"

#include <inttypes.h>
#include <stdio.h>

#include <cstdarg>

#include "plan/plan_impl.h"

namespace linnet {
namespace {

class Out {
 public:
  Out(Write write, void* user) : write_(write), user_(user) {}
  __attribute__((format(printf, 2, 3))) void print(const char* format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size > 0) write_(user_, text, static_cast<size_t>(size) < sizeof text ? static_cast<size_t>(size) : sizeof text - 1);
  }
  // Names come from a file: whatever could end a string or a tag is replaced.
  void name(std::string_view text) {
    for (char c : text.substr(0, 96)) {
      bool plain = c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != '\x7f';
      char safe = plain ? c : '_';
      write_(user_, &safe, 1);
    }
  }

 private:
  Write write_;
  void* user_;
};

// Thousandths, written without floating point: its form depends on the locale.
uint64_t thousandths(double ratio) { return static_cast<uint64_t>(ratio * 1000 + 0.5); }

struct Line {
  const char* key;
  const char* what;
  uint64_t bytes;
};

template <class Each>
void for_each_line(const Plan& plan, Each&& each) {
  const Line lines[] = {
      {"mapped_weights", "weights, mapped from the file", plan.mapped_weights()},
      {"state", "state", plan.state()},
      {"activations", "activations", plan.activations()},
      {"scratch", "scratch beyond gaps", plan.scratch()},
      {"constants", "constants", plan.constants()},
      {"provider", "provider copies", plan.provider()},
      {"control", "control tables", plan.control()},
      {"arena", "arena: all but the weights", plan.arena()},
  };
  for (const Line& line : lines) each(line);
}

void write_limits(Out* out, const Limits& limits, const char* format, const char* between) {
  const struct {
    const char* name;
    uint32_t value;
  } all[] = {{"context", limits.context}, {"batch_tokens", limits.batch_tokens}, {"sequences", limits.sequences},
             {"outputs", limits.outputs}, {"patches", limits.patches},           {"threads", limits.threads},
             {"rewind", limits.rewind},   {"adapters", limits.adapters},         {"adapter_rank", limits.adapter_rank}};
  bool first = true;
  for (const auto& limit : all) {
    if (limit.value == 0 && std::string_view(limit.name).starts_with("adapter")) continue;
    if (!first) out->print("%s", between);
    first = false;
    char text[64];
    snprintf(text, sizeof text, format, limit.name, limit.value);
    out->print("%s", text);
  }
}

// ---------------------------------------------------------------- drawing

constexpr int kWidth = 1200, kHeight = 640, kLeft = 90, kTop = 70, kBottom = 50;

const char* colour_of(const Plan::Lifetime& piece, size_t i) {
  static constexpr const char* kValues[] = {"#4c78a8", "#72b7b2", "#54a24b", "#9ecae9", "#88d27a", "#439894"};
  return piece.scratch ? "#e45756" : kValues[i % (sizeof kValues / sizeof kValues[0])];
}

uint64_t largest_program(const Plan& plan, uint32_t* steps, std::string_view* name) {
  uint64_t most = 1;
  for (size_t p = 0; p < plan.impl().programs.size(); ++p) {
    const auto& program = plan.impl().programs[p];
    if (program.total < most) continue;
    most = program.total;
    *steps = static_cast<uint32_t>(program.shared_scratch.size());
    *name = plan.impl().model_programs()[p].name;
  }
  return most;
}

void draw_axes(Out* out, const Plan& plan, std::string_view program, uint32_t steps, uint64_t bytes) {
  out->print("<text x=\"%d\" y=\"26\" class=\"title\">Activation memory of program ", kLeft);
  out->name(program);
  out->print("</text>\n<text x=\"%d\" y=\"48\">%" PRIu64 " bytes for values and scratch, %" PRIu64 " at least; arena %" PRIu64
             ", weights %" PRIu64 "; ",
             kLeft, bytes, plan.lower_bound(), plan.arena(), plan.mapped_weights());
  write_limits(out, plan.limits(), "%s %u", ", ");
  out->print("</text>\n<text x=\"%d\" y=\"%d\" text-anchor=\"end\">operation %u</text>\n", kWidth - 20, kHeight - 16, steps);
  for (int i = 0; i <= 4; ++i) {
    int y = kHeight - kBottom - (kHeight - kTop - kBottom) * i / 4;
    out->print("<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" class=\"grid\"/><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%" PRIu64
               "</text>\n",
               kLeft, y, kWidth - 20, y, kLeft - 8, y + 4, bytes / 4 * static_cast<uint64_t>(i));
  }
}

void draw_piece(Out* out, const Plan::Lifetime& piece, size_t i, uint32_t steps, uint64_t bytes) {
  uint64_t width = kWidth - 20 - kLeft, height = kHeight - kTop - kBottom;
  uint64_t x = kLeft + width * piece.first / steps, x_end = kLeft + width * (uint64_t{piece.last} + 1) / steps;
  // Offsets may be large: scale in floating point, write tenths as integers.
  uint64_t top = static_cast<uint64_t>(static_cast<double>(piece.offset + piece.bytes) / static_cast<double>(bytes) *
                                       static_cast<double>(height) * 10);
  uint64_t tall =
      static_cast<uint64_t>(static_cast<double>(piece.bytes) / static_cast<double>(bytes) * static_cast<double>(height) * 10) + 1;
  uint64_t y = (kTop + height) * 10 - (top < height * 10 ? top : height * 10);
  out->print("<rect x=\"%" PRIu64 "\" y=\"%" PRIu64 ".%" PRIu64 "\" width=\"%" PRIu64 "\" height=\"%" PRIu64 ".%" PRIu64
             "\" fill=\"%s\"><title>",
             x, y / 10, y % 10, x_end > x ? x_end - x : 1, tall / 10, tall % 10, colour_of(piece, i));
  out->name(piece.name);
  out->print(": %" PRIu64 " bytes at %" PRIu64 ", operations %u to %u</title></rect>\n", piece.bytes, piece.offset, piece.first,
             piece.last);
}

}  // namespace

void write_text(const Plan& plan, Write write, void* user) noexcept {
  Out out(write, user);
  out.print("limits                        ");
  write_limits(&out, plan.limits(), "%s %u", ", ");
  out.print(", ");
  out.name(plan.limits().isa);
  out.print("\n");
  for_each_line(plan, [&](const Line& line) { out.print("%-28s  %15" PRIu64 " bytes\n", line.what, line.bytes); });
  out.print("placement                     %" PRIu64 ".%03" PRIu64 " of the lower bound (%" PRIu64 " bytes)\n",
            thousandths(plan.ratio()) / 1000, thousandths(plan.ratio()) % 1000, plan.lower_bound());
}

void write_json(const Plan& plan, Write write, void* user) noexcept {
  Out out(write, user);
  out.print("{\"limits\": {");
  write_limits(&out, plan.limits(), "\"%s\": %u", ", ");
  out.print("}, \"isa\": \"");
  out.name(plan.limits().isa);
  out.print("\"");
  for_each_line(plan, [&](const Line& line) { out.print(", \"%s\": %" PRIu64, line.key, line.bytes); });
  out.print(", \"lower_bound\": %" PRIu64 ", \"ratio\": %" PRIu64 ".%03" PRIu64 ", \"lifetimes\": [", plan.lower_bound(),
            thousandths(plan.ratio()) / 1000, thousandths(plan.ratio()) % 1000);
  bool first = true;
  for (size_t i = 0; i < plan.lifetimes(); ++i) {
    Plan::Lifetime piece = plan.lifetime(i);
    if (piece.bytes == 0) continue;
    out.print("%s{\"program\": \"", first ? "" : ", ");
    first = false;
    out.name(piece.program);
    out.print("\", \"name\": \"");
    out.name(piece.name);
    out.print("\", \"offset\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"first\": %u, \"last\": %u, \"scratch\": %s}", piece.offset,
              piece.bytes, piece.first, piece.last, piece.scratch ? "true" : "false");
  }
  out.print("]}\n");
}

void write_svg(const Plan& plan, Write write, void* user) noexcept {
  Out out(write, user);
  uint32_t steps = 1;
  std::string_view program;
  uint64_t bytes = largest_program(plan, &steps, &program);
  out.print("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n", kWidth,
            kHeight);
  out.print(
      "<style>.title{font-size:16px;font-weight:bold}.grid{stroke:#ddd}rect{stroke:#fff;stroke-width:.5}rect:hover{stroke:#000}</style>\n");
  out.print("<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", kWidth, kHeight);
  draw_axes(&out, plan, program, steps, bytes);
  for (size_t i = 0; i < plan.lifetimes(); ++i) {
    Plan::Lifetime piece = plan.lifetime(i);
    if (piece.bytes != 0 && piece.program == program) draw_piece(&out, piece, i, steps, bytes);
  }
  out.print("</svg>\n");
}

}  // namespace linnet
