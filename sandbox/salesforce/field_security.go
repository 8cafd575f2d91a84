package salesforce

import "strings"

// Which fields have field-level security was read from describes of a real org
// (permissionable); which of an address's parts share one permission too.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_fieldpermissions.htm

// neverPermissionable are optional standard fields that no permission hides.
var neverPermissionable = map[string]bool{
	"MasterRecordId": true, "RecordTypeId": true, "PhotoUrl": true, "OwnerId": true, "LastActivityDate": true, "LastViewedDate": true,
	"LastReferencedDate": true, "LastCURequestDate": true, "LastCUUpdateDate": true, "EmailBouncedReason": true, "EmailBouncedDate": true,
	"IndividualId": true, "JigsawContactId": true, "JigsawCompanyId": true, "ConvertedDate": true, "ConvertedAccountId": true,
	"ConvertedContactId": true, "ConvertedOpportunityId": true, "ForecastCategoryName": true, "Pricebook2Id": true, "Fiscal": true,
	"ChannelProgramName": true, "ChannelProgramLevelName": true, "LastStageChangeDate": true, "PushCount": true, "Comments": true,
	"ContactPhone": true, "ContactMobile": true, "ContactEmail": true, "ContactFax": true,
}

// permissionableFlags are the standard check boxes that a permission can hide,
// though they are never null.
var permissionableFlags = map[string]bool{
	"Opportunity.IsPrivate": true, "Event.IsAllDayEvent": true, "Case.IsEscalated": true,
	"Contact.DoNotCall": true, "Contact.HasOptedOutOfEmail": true, "Contact.HasOptedOutOfFax": true,
	"Lead.DoNotCall": true, "Lead.HasOptedOutOfEmail": true, "Lead.HasOptedOutOfFax": true,
}

// activityFields are the few fields of tasks and events that a permission can hide.
var activityFields = map[string]bool{
	"WhoId": true, "WhatId": true, "Location": true, "Description": true, "CallDurationInSeconds": true, "CallType": true, "CallDisposition": true, "CallObject": true,
}

// securedObjects are the standard objects with object permissions of their own;
// custom objects have them too.
var securedObjects = map[string]bool{
	"Account": true, "Contact": true, "Lead": true, "Opportunity": true, "Case": true, "Campaign": true, "Product2": true, "Pricebook2": true,
}

// followedObjects have no permissions of their own: who may read the other
// object may read them, who may edit it may write them.
var followedObjects = map[string]string{
	"OpportunityContactRole": "Opportunity", "OpportunityLineItem": "Opportunity", "CampaignMember": "Campaign",
	"CampaignMemberStatus": "Campaign", "PricebookEntry": "Pricebook2",
}

// activityPermissions are the user permissions that writing activities takes.
var activityPermissions = map[string]string{"Task": "EditTask", "Event": "EditEvent"}

// parentObjects cannot be without: a permission set that shows the one must show the other.
var parentObjects = map[string]string{"Contact": "Account", "Opportunity": "Account"}

func (o *object) secured() bool { return o.custom || securedObjects[o.name] }

// permissionable says whether field-level security can hide the field.
func (f *field) permissionable() bool {
	switch {
	case f.source == fromAddress:
		return f.object.secured()
	case f.calculated():
		return true
	case f.source != stored || f.nameField:
		return false
	case f.custom():
		return !f.Required || f.Type == "boolean"
	case f.Type == "boolean":
		return permissionableFlags[f.object.name+"."+f.Name]
	case f.object.name == "Task" || f.object.name == "Event":
		return activityFields[f.Name]
	case !f.object.secured() || neverPermissionable[f.Name] || f.autoNumber || f.compound == "Name" || f.compound == "Fiscal":
		return false
	case f.object.name == "Opportunity" && f.Name == "ContactId", f.object.name == "Case" && f.Name == "Status":
		return false
	}
	return f.nillable()
}

// governor is the field whose permission rules this one: the whole of an
// address for its parts, and every other field itself.
func (f *field) governor() *field {
	if strings.HasSuffix(f.compound, "Address") {
		if whole := f.object.field(f.compound); whole != nil {
			return whole
		}
	}
	return f
}
