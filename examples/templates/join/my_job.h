// Joins orders with the customers who gave them. Lines of files named customers* are
// `customer TAB name`, all others `customer TAB item`. The tests include this; my_job.cc makes it a
// plugin.
#pragma once

#include <mapreduce/mapreduce.h>

enum class Side : std::uint8_t { kCustomer, kOrder };

// Sorted by customer, then by side: a customer's name comes before the orders. Grouped by customer.
using CustomerSide = std::pair<std::string, Side>;

class TagLines : public spillway::Mapper<spillway::TextLines, CustomerSide, std::string> {
 public:
  void Map(const spillway::Line& line, Emitter& out) {
    const std::size_t tab = line.text.find('\t');
    if (tab == std::string_view::npos) throw spillway::BadRecord("no TAB in the line");
    const std::string_view file = line.path.substr(line.path.rfind('/') + 1);
    const Side side = file.starts_with("customers") ? Side::kCustomer : Side::kOrder;
    out.Emit({line.text.substr(0, tab), side}, line.text.substr(tab + 1));
  }
};

class NameOrders : public spillway::Reducer<CustomerSide, std::string, std::string, std::string> {
 public:
  spillway::Status Setup(spillway::TaskContext& context) {
    unknown_ = context.counter("join", "orders of unknown customers");
    return spillway::OkStatus();
  }

  void Reduce(const spillway::View<CustomerSide>&, Values& values, Emitter& out) {
    name_.clear();
    bool known = false;
    for (const std::string_view value : values) {
      if (values.key().second == Side::kCustomer) {
        name_ = value;  // A view is valid until the next value only.
        known = true;
      } else if (known) {
        out.Emit(name_, value);
      } else {
        unknown_.Increment();
      }
    }
  }

 private:
  spillway::Counter unknown_;
  std::string name_;
};
