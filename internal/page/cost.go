package page

import (
	"fmt"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Cost is what a plan would cost at one vendor.
type Cost struct {
	Side  crm.Side `json:"side"`
	Calls int      `json:"calls"`
	// Left is how many calls we may still make today (of a rolling day: now);
	// -1 where the vendor told nothing.
	Left int `json:"left"`
	// Share is Calls as a share of Left, 0 to 1; above 1 the plan does not fit
	// into today; -1 where it is not known.
	Share float64 `json:"share"`
}

// NewCost works out the share; left is -1 when it is not known.
func NewCost(side crm.Side, calls, left int) Cost {
	c := Cost{Side: side, Calls: calls, Left: left, Share: -1}
	switch {
	case left > 0:
		c.Share = float64(calls) / float64(left)
	case left == 0 && calls > 0:
		c.Share = 2 // nothing is left, and something is needed
	case left == 0:
		c.Share = 0
	}
	return c
}

// Percent is the share in words.
func (c Cost) Percent() string {
	if c.Share < 0 {
		return "of an unknown rest"
	}
	return percent(c.Share)
}

// Fits tells whether the plan fits into what is left today.
func (c Cost) Fits() bool { return c.Share <= 1 }

// CostInWords is one sentence: "about 312 Salesforce calls (18 % of the 1,733
// left to us today) and 41 HubSpot calls (…)".
func CostInWords(costs []Cost) string {
	text := "The sync costs about"
	for i, c := range costs {
		if i > 0 {
			text += " and"
		}
		text += fmt.Sprintf(" %s %s", number(c.Calls), c.Side.Title())
		if c.Calls == 1 {
			text += " call"
		} else {
			text += " calls"
		}
		switch {
		case c.Left < 0:
			text += " (the vendor has not told what is left today)"
		case c.Left == 0:
			text += " (nothing is left to us today)"
		default:
			text += fmt.Sprintf(" (%s of the %s left to us today)", percent(c.Share), number(c.Left))
		}
	}
	return text + "."
}

// Days tells, where the plan does not fit into what is left today, what becomes
// of it; "" where it fits.
func Days(costs []Cost) string {
	for _, c := range costs {
		if !c.Fits() {
			return "It does not fit into what is left at " + c.Side.Title() + " today: the sync does what it can, stops without harm, and goes on when calls come back."
		}
	}
	return ""
}
