// Package deps holds the rules about who may import whom, as tests. Each rule
// has its reason beside it: whoever wants to break one should read that first.
// The package knows the names of the other packages and nothing of their content.
package deps

// Packages of this module are written as ./dir, the root package as ".". An
// ending /... includes everything below, as the go command has it.

// onlyImports lists the packages that may import nothing but the standard
// library and what is named here.
var onlyImports = []struct {
	from   string
	may    []string
	reason string
}{
	{
		from:   "./metric",
		reason: "everything speaks this vocabulary, programs that embed it too: it must cost them nothing",
	},
	{
		from: "./kind",
		may: []string{
			"./metric", "./internal/quantity", "./internal/workload", "k8s.io/api/...", "k8s.io/apimachinery/...", "github.com/robfig/cron/v3",
			// Types of the API that k8s.io/api lacks. What else these modules hold is a server.
			"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1", "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1",
		},
		reason: "the catalog says what an object's samples are, not where objects come from nor where samples go",
	},
	{
		from:   "./exposition",
		may:    []string{"./metric"},
		reason: "an encoder works for samples of any origin",
	},
	{
		from:   "./sink",
		reason: "the agent and every sink speak this vocabulary, programs that bring a sink of their own too",
	},
	{
		from:   "./agent/naming",
		may:    []string{"./metric", "./kind", "./sink", "./internal/problem"},
		reason: "a naming scheme is data: whoever reads, writes or checks one needs no agent",
	},
	{
		from:   "./agent/naming/ksm",
		may:    []string{"./agent/naming"},
		reason: "a naming scheme that needs more than data could not be written by users",
	},
	{
		from:   "./agent/naming/otel",
		may:    []string{"./agent/naming"},
		reason: "a naming scheme that needs more than data could not be written by users",
	},
	{
		from:   "./agent/naming/datadog",
		may:    []string{"./agent/naming", "./metric", "./kind", "k8s.io/api/...", "k8s.io/apimachinery/..."},
		reason: "a naming scheme is data; what only code can say, such as rollouts, sees objects but no agent",
	},
	{
		from:   "./agent",
		may:    []string{"./metric", "./kind", "./sink", "./agent/naming", "./agent/naming/ksm", "./agent/internal/compile", "./agent/internal/resolve", "./agent/internal/series", "./internal/logged", "k8s.io/apimachinery/..."},
		reason: "the agent is fed objects of any origin and knows no backend: schemes are data, sinks are given",
	},
	{
		from:   "./agent/internal/cache",
		reason: "a cache knows no content",
	},
	{
		from:   "./agent/internal/compile",
		may:    []string{"./metric", "./kind", "./sink", "./agent/naming", "./agent/internal/cache", "./internal/problem"},
		reason: "a program says what becomes of objects, and knows none",
	},
	{
		from:   "./agent/internal/resolve",
		may:    []string{"./metric", "./kind", "./sink", "./agent/naming", "./agent/internal/compile", "./internal/join"},
		reason: "a draft is of one object and depends on no other",
	},
	{
		from:   "./agent/internal/series",
		may:    []string{"./metric", "./kind", "./sink", "./agent/naming", "./agent/internal/cache", "./agent/internal/compile", "./agent/internal/resolve", "./internal/join", "k8s.io/apimachinery/...", "./internal/workload"},
		reason: "the state of series follows from drafts, whoever makes and reads them",
	},
	{
		from:   "./agent/flush",
		may:    []string{"./agent", "./sink"},
		reason: "when what goes to which sink does not depend on how series come about",
	},
	{
		from:   "./internal/join",
		reason: "who gets labels of whom is the same for series that are pushed and for those that are scraped",
	},
	{
		from:   "./internal/workload",
		may:    []string{"k8s.io/api/...", "k8s.io/apimachinery/..."},
		reason: "what owns an object does not depend on who asks",
	},
	{
		from:   "./internal/joined",
		may:    []string{"./metric", "./kind", "./exposition", "./internal/join", "./internal/problem", "./internal/store", "./internal/workload", "k8s.io/api/..."},
		reason: "labels of related objects are put on lines that the store keeps; who reads and who serves them does not matter",
	},
	{
		from:   "./internal/store",
		may:    []string{"./metric", "./kind", "./exposition", "./internal/piece", "./internal/logged", "k8s.io/apimachinery/..."},
		reason: "the store keeps text by object and family; it neither reads a cluster nor serves HTTP",
	},
	{
		from:   "./internal/quantity",
		reason: "how long a text is takes no knowledge of where it is from; the text of a quantity is bounded before any library sees it",
	},
	{
		from:   "./internal/wire",
		may:    []string{"./internal/quantity"},
		reason: "dropping fields of a message takes its bytes and the tags of its type, whatever the message is",
	},
	{
		from:   "./internal/inflate",
		reason: "decompressing takes no knowledge of where the data is kept",
	},
	{
		from:   "./internal/piece",
		may:    []string{"./internal/inflate", "github.com/klauspost/compress/..."},
		reason: "compressing text takes no knowledge of what it says",
	},
	{
		from:   "./internal/spell",
		reason: "how alike two words are takes no knowledge of what they name",
	},
	{
		from:   "./internal/strictyaml",
		may:    []string{"./internal/problem", "./internal/spell", "go.yaml.in/yaml/v3"},
		reason: "files are read by the structs that they are for; a reader that knew those would be one per file",
	},
	{
		from:   ".",
		may:    []string{"./metric", "./kind", "./exposition", "./internal/store", "./internal/joined", "./internal/piece", "./internal/request", "./internal/workload", "k8s.io/api/...", "k8s.io/apimachinery/..."},
		reason: "the library must stay light enough to embed: its users bring their own client, flags and registry",
	},
}

// bans lists what a package must not reach, through others neither.
var bans = []struct {
	from, to string
	reason   string
}{
	{"./kind", "k8s.io/client-go/...", "whoever adds a kind needs types, not a client"},
	{"./kind", "./exposition", "a row emits samples; it must not know whether they become text"},
	{"./kind", "./sink/...", "a row emits samples; it must not know who takes them"},
	{"./exposition", "./kind", "an encoder that knows kinds would treat some of them specially"},
	{"./internal/store", "k8s.io/client-go/...", "the store is fed; objects from files and tests come without a client"},
	{".", "k8s.io/client-go/...", "client-go brings some hundred packages that a program feeding its own objects does not need"},
	{".", "github.com/spf13/...", "flags are the command's business"},
	{".", "github.com/prometheus/client_golang/...", "a library must not bring a registry of its own"},
	{".", "./internal/conf", "the library is configured by its Config; names of flags and files are the command's"},
	{".", "./internal/serve", "the Exporter is one http.Handler; ports, health and profiles are the command's"},
	{"./kubewatch", "./internal/conf", "a source is configured by its Config, not by flags"},
	{"./kubewatch", "./internal/serve", "a source feeds a store and knows nothing of those who read it"},
	{"./kubewatch", "./internal/store", "a source feeds whatever satisfies its Store; programs that embed us have their own"},
	{"./internal/conf", "./kubewatch", "reading flags must not be able to start anything"},
	{"./internal/conf", "./internal/serve", "reading flags must not be able to start anything"},
	{"./internal/agentconf", "./kubewatch", "reading a file must not be able to start anything; validating one takes no cluster"},
	{"./internal/datadogconf", "./kubewatch", "reading a file must not be able to start anything"},
	{"./internal/agentconf", "./internal/serve", "reading a file must not be able to start anything"},
	{"./internal/agentconf", "./internal/conf", "a file says what it says; how flags bear on it is the command's business"},
	{"./internal/manifest", "k8s.io/client-go/...", "files are read where there is no cluster"},
	{"./internal/manifest", "./internal/store", "a file yields objects; what becomes of them is the reader's choice"},
	{"./internal/sim/...", "./kind", "a simulation built with the code it tests would share its mistakes"},
	{"./internal/sim/...", "./kubewatch", "a simulation built with the code it tests would share its mistakes"},
	{"./internal/sim/apiserver", "./internal/sim/cluster", "the server serves any objects; what a cluster is made of is the generator's business"},
	{"./agent/...", "k8s.io/client-go/...", "the agent works on samples; objects reach it through the store"},
	{"./agent/...", "./kubewatch", "the agent is fed; objects by hand and from files come without a client"},
	{"./agent/...", "./internal/store", "whoever only pushes keeps no text"},
	{"./agent", "./agent/naming/datadog", "a naming scheme is data for the agent, which works with any"},
	{"./agent", "./agent/naming/otel", "a naming scheme is data for the agent, which works with any"},
	{"./agent", "./agent/flush", "series are kept whoever sends them"},
	{"./sink/...", "./kind", "a sink takes samples of any origin"},
	{"./sink/...", "./internal/store", "a sink takes samples of any origin"},
	{"./internal/sinktest", "./sink/...", "what holds for every sink is said once if it knows none of them"},
	{"./sink/...", "./sink/...", "a backend is added or removed without touching another"},
	{"./...", "./cmd/...", "the command is assembled from the others; a part of it that others need becomes a package"},
	{"./...", "./internal/gen/...", "the generator reads the program; the program must not need it"},
	{"./...", "./test/...", "the modules under test depend on a whole API server and a whole Prometheus"},
}

// exceptions lists what bans do not mean: from may reach to.
var exceptions = []struct {
	from, to string
	reason   string
}{
	{"./sink/...", "./sink", "the vocabulary is what sinks are for"},
	{"./internal/sinktest", "./sink", "the vocabulary is what sinks are for"},
	{"./sink/...", "./sink/internal/...", "what several protocols need belongs to none of them; programs that embed us cannot come to depend on it"},
}

// onlyImportedBy lists the packages that have few doors into this module, or
// none but tests.
var onlyImportedBy = []struct {
	to     string
	by     []string
	reason string
}{
	{
		to:     "k8s.io/client-go/...",
		by:     []string{"./kubewatch"},
		reason: "one place talks to an API server, so one place holds limits, back-off and credentials",
	},
	{
		to:     "github.com/spf13/...",
		by:     []string{"./cmd/kubestate", "./internal/conf", "./internal/gen/..."},
		reason: "flags end where a Config begins",
	},
	{
		to:     "./internal/sim/...",
		by:     []string{"./cmd/kubestate", "./internal/sim/cluster"},
		reason: "the simulated cluster serves the demo, tests and benchmarks; nothing that runs in a real cluster may need it",
	},
	{
		to:     "./internal/agenttest",
		reason: "it is part of tests and would bring the testing package into the program",
	},
	{
		to:     "./internal/kindtest",
		reason: "it is part of tests and would bring the testing package into the program",
	},
	{
		to:     "./internal/sinktest",
		reason: "it is part of tests and would bring the testing package into the program",
	},
}

// toCome names the packages that rules speak of and that are not written yet.
var toCome = []string{}

// rootLimit is how many packages outside the standard library a program takes
// on by importing the root package. k8s.io/api and apimachinery alone are 66.
const rootLimit = 130

// emptyNames are directory names that say nothing about what is inside, so that
// everything ends up there.
var emptyNames = []string{"base", "common", "helper", "helpers", "misc", "types", "util", "utils"}
