#include "text/chat/clock.h"

namespace linnet::text::chat {
namespace {

constexpr std::string_view kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::string_view kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};

bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int day_of_year(const DateTime& time) {
  constexpr int kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  return kBefore[time.month - 1] + time.day + (time.month > 2 && is_leap(time.year) ? 1 : 0);
}

// 0 is Sunday. Every day from 1 January of year 1, a Monday, counted.
int day_of_week(const DateTime& time) {
  const int years = time.year - 1;
  return (years * 365 + years / 4 - years / 100 + years / 400 + day_of_year(time)) % 7;
}

class Writer {
 public:
  Writer(const DateTime& time, Sink* sink) noexcept : time_(time), sink_(*sink) {}

  // What stands for a conversion is of the conversion's origin.
  Status write(const String& format) noexcept {
    for (size_t at = 0; at < format.size; ++at) {
      data_ = format.is_data(at);
      if (format.text[at] != '%') {
        LINNET_TRY(text(std::string_view(format.text + at, 1)));
        continue;
      }
      padded_ = !(at + 1 < format.size && format.text[at + 1] == '-');
      at += padded_ ? 1 : 2;
      if (at >= format.size) return Status::error(Code::unsupported, "chat template: a time's format ends with %%");
      LINNET_TRY(convert(format.text[at]));
    }
    return {};
  }

 private:
  Status text(std::string_view text) { return sink_.append(text, data_); }
  Status write_all(std::string_view format) { return write({format.data(), nullptr, format.size(), nullptr, data_}); }
  Status number(int value, int digits, char fill = '0') {
    char reversed[12];
    int count = 0;
    for (; value > 0 || count == 0; value /= 10) reversed[count++] = static_cast<char>('0' + value % 10);
    while (padded_ && count < digits) reversed[count++] = fill;
    while (count > 0) LINNET_TRY(text(std::string_view(&reversed[--count], 1)));
    return {};
  }

  Status convert(char conversion) {
    const int hour = time_.hour % 12 == 0 ? 12 : time_.hour % 12, day = day_of_week(time_);
    const std::string_view day_name = kDays[day], month = kMonths[time_.month - 1];
    switch (conversion) {
      case 'd':
        return number(time_.day, 2);
      case 'e':
        return number(time_.day, 2, ' ');
      case 'm':
        return number(time_.month, 2);
      case 'Y':
        return number(time_.year, 4);
      case 'y':
        return number(time_.year % 100, 2);
      case 'B':
        return text(month);
      case 'b':
      case 'h':
        return text({month.data(), 3});
      case 'A':
        return text(day_name);
      case 'a':
        return text({day_name.data(), 3});
      case 'w':
        return number(day, 1);
      case 'u':
        return number(day == 0 ? 7 : day, 1);
      case 'j':
        return number(day_of_year(time_), 3);
      case 'H':
        return number(time_.hour, 2);
      case 'I':
        return number(hour, 2);
      case 'M':
        return number(time_.minute, 2);
      case 'S':
        return number(time_.second, 2);
      case 'p':
        return text(time_.hour < 12 ? "AM" : "PM");
      case 'F':
        return write_all("%Y-%m-%d");
      case 'T':
      case 'X':
        return write_all("%H:%M:%S");
      case 'R':
        return write_all("%H:%M");
      case 'D':
      case 'x':
        return write_all("%m/%d/%y");
      case 'c':
        return write_all("%a %b %e %H:%M:%S %Y");
      case 'n':
        return text("\n");
      case 't':
        return text("\t");
      case '%':
        return text("%");
      default:
        return Status::error(Code::unsupported, "chat template: a time's format with %%%c is not supported", conversion);
    }
  }

  const DateTime& time_;
  Sink& sink_;
  bool padded_ = true, data_ = false;
};

}  // namespace

Status format_time(const DateTime& time, const String& format, Sink* sink) noexcept {
  const bool valid = time.year >= 1 && time.year <= 9999 && time.month >= 1 && time.month <= 12 && time.day >= 1 && time.day <= 31 &&
                     time.hour >= 0 && time.hour <= 23 && time.minute >= 0 && time.minute <= 59 && time.second >= 0 && time.second <= 60;
  if (!valid) return Status::error(Code::invalid_argument, "the time for a chat template is no date of the years 1 to 9999");
  return Writer(time, sink).write(format);
}

}  // namespace linnet::text::chat
