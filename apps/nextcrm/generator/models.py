"""The 29 collections as the application wrote them: every field with its kind; pure data.

One text a collection, one field a word: `name:kind`, with `!` where the application always writes the field.
Kinds: text, long, bool, date, json, texts (a list), `id>C` (an id of collection C), `ids>C` (a list of them),
`hex>C` and `hexes>C` (ids kept as text), `enum>E`. The `_id` is not named.
"""

from __future__ import annotations

ENUMS: dict[str, tuple[str, ...]] = {
    "crm_Lead_Status": ("NEW", "CONTACTED", "QUALIFIED", "LOST"),
    "crm_Lead_Type": ("DEMO",),
    "crm_Opportunity_Status": ("ACTIVE", "INACTIVE", "PENDING", "CLOSED"),
    "crm_Contact_Type": ("Customer", "Partner", "Vendor", "Prospect"),
    "crm_Contracts_Status": ("NOTSTARTED", "INPROGRESS", "SIGNED"),
    "DocumentSystemType": ("INVOICE", "RECEIPT", "CONTRACT", "OFFER", "OTHER"),
    "taskStatus": ("ACTIVE", "PENDING", "COMPLETE"),
    "ActiveStatus": ("ACTIVE", "INACTIVE", "PENDING"),
    "Language": ("cz", "en", "de", "uk"),
    "gptStatus": ("ACTIVE", "INACTIVE"),
}

FIELDS: dict[str, str] = {
    "crm_Accounts": """
        __v:long! createdAt:date! createdBy:id>Users updatedAt:date updatedBy:id>Users annual_revenue:text
        assigned_to:id>Users billing_city:text billing_country:text billing_postal_code:text billing_state:text
        billing_street:text company_id:text description:text email:text employees:text fax:text
        industry:id>crm_Industry_Type member_of:text name:text! office_phone:text shipping_city:text
        shipping_country:text shipping_postal_code:text shipping_state:text shipping_street:text status:text
        type:text vat:text website:text documentsIDs:ids>Documents watchers:ids>Users
    """,
    "crm_Leads": """
        __v:long! createdAt:date createdBy:id>Users updatedAt:date updatedBy:id>Users firstName:text lastName:text!
        company:text jobTitle:text email:text phone:text description:text lead_source:text refered_by:text
        campaign:text status:text type:text assigned_to:id>Users accountsIDs:id>crm_Accounts
        documentsIDs:ids>Documents
    """,
    "crm_Opportunities": """
        __v:long! account:id>crm_Accounts assigned_to:id>Users budget:long! campaign:id>crm_campaigns
        close_date:date contact:id>crm_Contacts created_by:id>Users createdBy:id>Users created_on:date
        createdAt:date! last_activity:date updatedAt:date updatedBy:id>Users last_activity_by:id>Users currency:text
        description:text expected_revenue:long! name:text next_step:text
        sales_stage:id>crm_Opportunities_Sales_Stages type:id>crm_Opportunities_Type
        status:enum>crm_Opportunity_Status connected_documents:ids>Documents connected_contacts:ids>crm_Contacts
    """,
    "crm_campaigns": """
        __v:long! name:text! description:text status:text
    """,
    "crm_Opportunities_Sales_Stages": """
        __v:long! name:text! probability:long order:long
    """,
    "crm_Opportunities_Type": """
        __v:long! name:text! order:long
    """,
    "crm_Contacts": """
        __v:long! account:id>crm_Accounts assigned_to:id>Users birthday:text created_by:id>Users createdBy:id>Users
        created_on:date cratedAt:date last_activity:date updatedAt:date updatedBy:id>Users last_activity_by:id>Users
        description:text email:text personal_email:text first_name:text last_name:text! office_phone:text
        mobile_phone:text website:text position:text status:bool! social_twitter:text social_facebook:text
        social_linkedin:text social_skype:text social_instagram:text social_youtube:text social_tiktok:text
        type:text tags:texts notes:texts opportunitiesIDs:ids>crm_Opportunities accountsIDs:id>crm_Accounts
        documentsIDs:ids>Documents
    """,
    "crm_Contracts": """
        __v:long! title:text! value:long! startDate:date endDate:date renewalReminderDate:date
        customerSignedDate:date companySignedDate:date description:text account:id>crm_Accounts assigned_to:id>Users
        createdAt:date createdBy:id>Users updatedAt:date updatedBy:id>Users status:enum>crm_Contracts_Status!
        type:text
    """,
    "Boards": """
        __v:long! description:text! favourite:bool favouritePosition:long icon:text position:long title:text!
        user:id>Users! visibility:text sharedWith:ids>Users createdAt:date createdBy:id>Users updatedAt:date
        updatedBy:id>Users watchers:ids>Users
    """,
    "Employees": """
        __v:long! avatar:text! email:text name:text! salary:long! status:text!
    """,
    "ImageUpload": """
    """,
    "MyAccount": """
        __v:long! company_name:text! is_person:bool! email:text email_accountant:text phone_prefix:text phone:text
        mobile_prefix:text mobile:text fax_prefix:text fax:text website:text street:text city:text state:text
        zip:text country:text country_code:text billing_street:text billing_city:text billing_state:text
        billing_zip:text billing_country:text billing_country_code:text currency:text currency_symbol:text
        VAT_number:text! TAX_number:text bank_name:text bank_account:text bank_code:text bank_IBAN:text
        bank_SWIFT:text
    """,
    "Invoices": """
        __v:long date_created:date! last_updated:date! last_updated_by:id>Users date_received:date date_of_case:date
        date_tax:date date_due:date description:text document_type:text favorite:bool variable_symbol:text
        constant_symbol:text specific_symbol:text order_number:text internal_number:text invoice_number:text
        invoice_amount:text invoice_file_mimeType:text! invoice_file_url:text! invoice_items:json invoice_type:text
        invoice_currency:text invoice_language:text partner:text partner_street:text partner_city:text
        partner_zip:text partner_country:text partner_country_code:text partner_business_street:text
        partner_business_city:text partner_business_zip:text partner_business_country:text
        partner_business_country_code:text partner_VAT_number:text partner_TAX_number:text
        partner_TAX_local_number:text partner_phone_prefix:text partner_phone_number:text partner_fax_prefix:text
        partner_fax_number:text partner_email:text partner_website:text partner_is_person:bool partner_bank:text
        partner_account_number:text partner_account_bank_number:text partner_IBAN:text partner_SWIFT:text
        partner_BIC:text rossum_status:text rossum_annotation_id:text rossum_annotation_url:text
        rossum_document_id:text rossum_document_url:text rossum_annotation_json_url:text
        rossum_annotation_xml_url:text money_s3_url:text status:text invoice_state_id:id>invoice_States
        assigned_user_id:id>Users assigned_account_id:id>crm_Accounts visibility:bool!
        connected_documents:ids>Documents
    """,
    "invoice_States": """
        name:text!
    """,
    "Documents": """
        __v:long date_created:date createdAt:date last_updated:date updatedAt:date document_name:text!
        created_by_user:id>Users createdBy:id>Users description:text document_type:id>Documents_Types favourite:bool
        document_file_mimeType:text! document_file_url:text! status:text visibility:text tags:json key:text
        size:long assigned_user:id>Users connected_documents:hexes>Documents invoiceIDs:ids>Invoices
        opportunityIDs:ids>crm_Opportunities contactsIDs:ids>crm_Contacts tasksIDs:ids>Tasks
        crm_accounts_tasksIDs:ids>crm_Accounts_Tasks leadsIDs:ids>crm_Leads accountsIDs:ids>crm_Accounts
        document_system_type:enum>DocumentSystemType
    """,
    "Documents_Types": """
        __v:long! name:text!
    """,
    "Sections": """
        __v:long! board:id>Boards! title:text! position:long
    """,
    "crm_Industry_Type": """
        __v:long! name:text!
    """,
    "modulStatus": """
        name:text! isVisible:bool!
    """,
    "Tasks": """
        __v:long! content:text createdAt:date createdBy:id>Users updatedAt:date updatedBy:id>Users dueDateAt:date
        lastEditedAt:date position:long! priority:text! section:id>Sections tags:json title:text! likes:long
        user:id>Users documentIDs:ids>Documents taskStatus:enum>taskStatus
    """,
    "crm_Accounts_Tasks": """
        __v:long! content:text createdAt:date createdBy:id>Users updatedAt:date updatedBy:id>Users dueDateAt:date
        priority:text! tags:json title:text! likes:long user:id>Users account:id>crm_Accounts
        taskStatus:enum>taskStatus
    """,
    "tasksComments": """
        __v:long! comment:text! createdAt:date! task:id>Tasks! user:id>Users!
        assigned_crm_account_task:id>crm_Accounts_Tasks
    """,
    "TodoList": """
        createdAt:text! description:text! title:text! url:text! user:hex>Users!
    """,
    "Users": """
        __v:long! account_name:text avatar:text email:text! is_account_admin:bool! is_admin:bool! created_on:date!
        lastLoginAt:date name:text password:text username:text userStatus:enum>ActiveStatus!
        userLanguage:enum>Language! watching_boardsIDs:ids>Boards watching_accountsIDs:ids>crm_Accounts
    """,
    "system_Modules_Enabled": """
        __v:long! name:text! enabled:bool! position:long!
    """,
    "secondBrain_notions": """
        __v:long! user:id>Users! notion_api_key:text! notion_db_id:text!
    """,
    "openAi_keys": """
        __v:long! user:id>Users! organization_id:text! api_key:text!
    """,
    "systemServices": """
        __v:long! name:text! serviceUrl:text serviceId:text serviceKey:text servicePassword:text servicePort:text
        description:text
    """,
    "gpt_models": """
        __v:long! model:text! description:text status:enum>gptStatus created_on:date
    """,
}
