#include "runtime/local/named_inputs.h"

#include <gmock/gmock.h>

namespace spillway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Paths = std::vector<std::string>;

class NamedInputsTest : public ::testing::Test {
 protected:
  NamedInputsTest() {
    inputs_[0].name = "orders";
    inputs_[1].name = "customers";
    job_.name = "sales";
    job_.inputs = inputs_;
    job_.input_count = 2;
  }

  spillway_input inputs_[2] = {};
  spillway_job job_ = {};
};

TEST_F(NamedInputsTest, AWordBelongsToTheNameBeforeIt) {
  const auto paths =
      PathsByInput(job_, {"customers=c", "orders=a", "b", "date=1/x", "customers=d"});
  ASSERT_TRUE(paths.ok());
  EXPECT_THAT(*paths, ElementsAre(Paths{"a", "b", "date=1/x"}, Paths{"c", "d"}));
}

TEST_F(NamedInputsTest, APathMayHoldAnEqualsSign) {
  const auto paths = PathsByInput(job_, {"orders=customers=x", "customers=day=1"});
  ASSERT_TRUE(paths.ok());
  EXPECT_THAT(*paths, ElementsAre(Paths{"customers=x"}, Paths{"day=1"}));
}

TEST_F(NamedInputsTest, WithoutNamesWordsAreWhatTheyAre) {
  job_.input_count = 0;
  EXPECT_THAT(*PathsByInput(job_, {"orders=a", "b"}), ElementsAre(Paths{"orders=a", "b"}));
}

TEST_F(NamedInputsTest, SaysWhatToWriteWhenANameIsMissing) {
  for (const Paths& words : {Paths{"a"}, Paths{"order=a"}, Paths{"orders", "customers=b"}}) {
    const Status status = PathsByInput(job_, words).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("-i orders=PATH -i customers=PATH"));
  }
  EXPECT_THAT(PathsByInput(job_, {"orders=a"}).status().message(),
              HasSubstr("input 'customers' of job sales was not given: write"));
}

}  // namespace
}  // namespace spillway
