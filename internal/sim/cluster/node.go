package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// imagesPerNode is how many images a kubelet reports; its default limit is 50.
const imagesPerNode = 50

// nodePrefix is followed by the number of the node.
const nodePrefix = "node-"

// hostIP is the address of a node, made from its number.
func hostIP(node string) string {
	n, err := strconv.Atoi(strings.TrimPrefix(node, nodePrefix))
	if err != nil {
		n = len(node) // a node that a test made up
	}
	return fmt.Sprintf("10.%d.%d.%d", n>>16&0x3f, n>>8&0xff, n&0xff)
}

// machine is a size of node.
type machine struct {
	name   string
	cpu    int64
	memory int64 // GiB
	pods   int64
}

func machines() []machine {
	return []machine{{"m6i.2xlarge", 8, 32, 58}, {"m6i.4xlarge", 16, 64, 234}, {"r6i.4xlarge", 16, 128, 234}, {"c6i.8xlarge", 32, 64, 234}}
}

func (g *generator) nodes() error {
	images := g.nodeImages(4 * imagesPerNode)
	for i := range g.Nodes {
		name := fmt.Sprintf("%s%05d", nodePrefix, i)
		g.nodeNames = append(g.nodeNames, name)
		node := g.node(name, i)
		start := g.rand.IntN(len(images) - imagesPerNode)
		node.Status.Images = images[start : start+imagesPerNode]
		if err := g.put(node, "kubelet", "kubelet", "v1", nil); err != nil {
			return err
		}
	}
	return nil
}

// node makes a node; the first three of a cluster large enough run the
// control plane.
func (g *generator) node(name string, index int) *corev1.Node {
	m := machines()[g.rand.IntN(len(machines()))]
	zone := zones()[index%len(zones())]
	instance := fmt.Sprintf("i-%017x", g.rand.Uint64()>>4)
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:              name,
			UID:               g.uid(),
			CreationTimestamp: g.ago(g.between(24*time.Hour, 90*24*time.Hour)),
			Labels: map[string]string{
				corev1.LabelHostname:           name,
				corev1.LabelArchStable:         "amd64",
				corev1.LabelOSStable:           "linux",
				corev1.LabelInstanceTypeStable: m.name,
				corev1.LabelTopologyRegion:     zone[:len(zone)-1],
				corev1.LabelTopologyZone:       zone,
				"example.com/node-pool":        "general",
			},
			Annotations: map[string]string{
				"csi.volume.kubernetes.io/nodeid":                        fmt.Sprintf(`{"ebs.csi.example.com":%q}`, instance),
				"node.alpha.kubernetes.io/ttl":                           "0",
				"volumes.kubernetes.io/controller-managed-attach-detach": "true",
			},
		},
		Spec: corev1.NodeSpec{
			PodCIDR:    fmt.Sprintf("100.%d.%d.0/24", 64+index>>8&0x3f, index&0xff),
			ProviderID: "aws:///" + zone + "/" + instance,
		},
	}
	node.Spec.PodCIDRs = []string{node.Spec.PodCIDR}
	g.nodeRole(node, index)
	node.Status = g.nodeStatus(node, m)
	return node
}

// nodeRole makes some nodes control plane, some dedicated and some cordoned.
func (g *generator) nodeRole(node *corev1.Node, index int) {
	switch {
	case index < 3 && g.Nodes > 5:
		node.Labels["node-role.kubernetes.io/control-plane"] = ""
		node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: "node-role.kubernetes.io/control-plane", Effect: corev1.TaintEffectNoSchedule})
	case g.chance(0.05):
		node.Labels["example.com/node-pool"] = "batch"
		node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: "dedicated", Value: "batch", Effect: corev1.TaintEffectNoSchedule})
	case g.chance(0.01):
		since := g.ago(g.between(time.Minute, time.Hour))
		node.Spec.Unschedulable = true
		node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule, TimeAdded: &since})
	}
}

func (g *generator) nodeStatus(node *corev1.Node, m machine) corev1.NodeStatus {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewQuantity(m.cpu, resource.DecimalSI),
		corev1.ResourceMemory:           *resource.NewQuantity(m.memory<<30-g.rand.Int64N(1<<28)&^0xfff, resource.BinarySI),
		corev1.ResourceEphemeralStorage: resource.MustParse("104845292Ki"),
		corev1.ResourcePods:             *resource.NewQuantity(m.pods, resource.DecimalSI),
		"hugepages-1Gi":                 resource.MustParse("0"),
		"hugepages-2Mi":                 resource.MustParse("0"),
	}
	allocatable := capacity.DeepCopy()
	allocatable[corev1.ResourceCPU] = *resource.NewMilliQuantity(m.cpu*1000-90, resource.DecimalSI)
	allocatable[corev1.ResourceMemory] = *resource.NewQuantity((m.memory-1)<<30, resource.BinarySI)
	allocatable[corev1.ResourceEphemeralStorage] = resource.MustParse("95551679124")
	return corev1.NodeStatus{
		Capacity:    capacity,
		Allocatable: allocatable,
		Conditions:  g.nodeConditions(node, !g.chance(0.005)),
		Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: hostIP(node.Name)},
			{Type: corev1.NodeHostName, Address: node.Name},
			{Type: corev1.NodeInternalDNS, Address: node.Name + ".eu-west-1.compute.internal"},
		},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: 10250}},
		NodeInfo: corev1.NodeSystemInfo{
			MachineID: fmt.Sprintf("ec2%029x", g.rand.Uint64()), SystemUUID: string(g.uid()), BootID: string(g.uid()),
			KernelVersion: "6.12.40-63.114.amzn2023.x86_64", OSImage: "Amazon Linux 2023.8.20250721",
			ContainerRuntimeVersion: "containerd://2.1.4", KubeletVersion: "v1.37.2", OperatingSystem: "linux", Architecture: "amd64",
		},
	}
}

// nodeConditions returns the five conditions of a kubelet. A node that is not
// ready is one whose kubelet has gone silent.
func (g *generator) nodeConditions(node *corev1.Node, ready bool) []corev1.NodeCondition {
	heartbeat := g.ago(g.between(0, 5*time.Minute))
	condition := func(kind corev1.NodeConditionType, status corev1.ConditionStatus, reason, message string) corev1.NodeCondition {
		return corev1.NodeCondition{Type: kind, Status: status, Reason: reason, Message: message,
			LastHeartbeatTime: heartbeat, LastTransitionTime: node.CreationTimestamp}
	}
	if !ready {
		const reason, message = "NodeStatusUnknown", "Kubelet stopped posting node status."
		return []corev1.NodeCondition{
			condition(corev1.NodeMemoryPressure, corev1.ConditionUnknown, reason, message),
			condition(corev1.NodeDiskPressure, corev1.ConditionUnknown, reason, message),
			condition(corev1.NodePIDPressure, corev1.ConditionUnknown, reason, message),
			condition(corev1.NodeReady, corev1.ConditionUnknown, reason, message),
		}
	}
	return []corev1.NodeCondition{
		condition(corev1.NodeMemoryPressure, corev1.ConditionFalse, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
		condition(corev1.NodeDiskPressure, corev1.ConditionFalse, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
		condition(corev1.NodePIDPressure, corev1.ConditionFalse, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
		condition(corev1.NodeReady, corev1.ConditionTrue, "KubeletReady", "kubelet is posting ready status"),
	}
}

// nodeImages makes the images of which every node has a part.
func (g *generator) nodeImages(n int) []corev1.ContainerImage {
	images := make([]corev1.ContainerImage, n)
	for i := range images {
		name := g.pick(registries()) + "/" + g.pick(teams()) + "-" + g.pick(components())
		images[i] = corev1.ContainerImage{
			Names:     []string{name + "@" + g.digest(), fmt.Sprintf("%s:v%d.%d.%d", name, g.rand.IntN(4), g.rand.IntN(40), g.rand.IntN(10))},
			SizeBytes: 5<<20 + g.rand.Int64N(1<<30),
		}
	}
	return images
}
