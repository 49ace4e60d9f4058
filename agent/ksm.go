package agent

// KSM returns the naming table that changes nothing: families under their names
// and labels as tags, those that are opt-in left out.
func KSM() *Names {
	return &Names{
		Name: "ksm",
		Doc:  "The families of kube-state-metrics under their own names, labels as tags.",
		Rest: &Rule{},
	}
}
