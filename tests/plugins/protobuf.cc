// Protocol Buffers messages as key and value. Input lines `name TAB label TAB value`.
#include <mapreduce/codec_protobuf.h>
#include <mapreduce/mapreduce.h>

#include <charconv>

#include "sensor.pb.h"

using namespace spillway;
using test::Sample;
using test::Sensor;

class ParseSample : public Mapper<TextLines, Sensor, Sample> {
 public:
  void Map(const Line& line, Emitter& out) {
    const std::size_t first = line.text.find('\t');
    const std::size_t second = line.text.find('\t', first + 1);
    Sensor sensor;
    sensor.set_name(std::string(line.text.substr(0, first)));
    (*sensor.mutable_labels())[std::string(line.text.substr(first + 1, second - first - 1))] = 1;
    (*sensor.mutable_labels())["all"] = 2;
    double value = 0;
    std::from_chars(line.text.data() + second + 1, line.text.data() + line.text.size(), value);
    Sample sample;
    sample.set_value(value);
    sample.set_count(1);
    out.Emit(sensor, sample);
  }
};

class AddSamples : public Reducer<Sensor, Sample, std::string, std::pair<double, std::uint32_t>> {
 public:
  void Reduce(const Sensor& key, Values& values, Emitter& out) {
    Sample sum;
    for (const Sample& sample : values) {
      sum.set_value(sum.value() + sample.value());
      sum.set_count(sum.count() + sample.count());
    }
    std::string name = key.name();
    for (const auto& [label, number] :
         std::map<std::string, std::int32_t>(key.labels().begin(), key.labels().end()))
      name += "," + label + "=" + std::to_string(number);
    out.Emit(name, {sum.value(), sum.count()});
  }
};

SPILLWAY_PLUGIN("protobuf", "adds up samples per sensor", "") {
  return NewJob().Map<ParseSample>().Reduce<AddSamples>();
}
